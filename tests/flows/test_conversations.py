"""Stories with more than one turn: what was missing is sent, people answer from phones, strangers learn nothing."""

from __future__ import annotations

from hashlib import sha256

from loket.core.model import State
from loket.demo.officer import Answer, answer
from loket.demo.officer import reply as officer_reply
from tests.flows.letters import DESIGN, SITI, mail, reply, scan
from tests.flows.office import FlowOffice, Mail

APPLICANT = "siti@jamusari.example"
PDF = scan("desain").content


def digest_of(office: FlowOffice, officer: str, count: int, hour: int = 13, minute: int = 0) -> Mail:
    """The newest mail of an officer, once the clock stands at a digest's time."""
    office.clock.wib(hour, minute)
    office.work()
    return office.mails(officer, count)[-1]


def only(command: str, given: Answer):  # type: ignore[no-untyped-def] # a chooser for the demo's officer
    """Choose the one ready answer of that command."""
    return lambda link: given if link.command == command else None


def states(office: FlowOffice) -> dict[str, tuple[str, State, tuple[str, ...]]]:
    """Queue, state and missing of every ticket."""
    stores = office.stores()
    found = stores.desk.tickets(queue=None, state=None, limit=100)
    stores.database.close()
    return {ticket.number: (ticket.queue, ticket.state, ticket.missing) for ticket in found}


def test_an_incomplete_request_is_completed_by_answering_with_the_subject_shown(office: FlowOffice) -> None:
    """The correction shows the very subject; sending it back completes the same ticket."""
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT/SK*_Jamu Kunyit", enclosed=PDF))
    office.work()
    [correction] = office.mails(APPLICANT, 1)
    assert "Ambil SK_OT_Jamu Kunyit" in correction.text.splitlines()
    assert "Ambil SK_SK_Jamu Kunyit" in correction.text.splitlines()
    [(number, before)] = states(office).items()
    assert before == ("triase", State.WAITING, ("kategori",))

    office.submit(reply(correction, "Ini, Bu", subject="Ambil SK_OT_Jamu Kunyit"))
    office.work()
    _, acknowledgement = office.mails(APPLICANT, 2)
    assert states(office) == {number: ("ambil-sk-ot", State.OPEN, ())}
    assert number in acknowledgement.subject
    assert "Pengambilan SK NIE (OT)" in acknowledgement.text


def test_a_missing_attachment_is_supplied_by_a_plain_reply(office: FlowOffice) -> None:
    """`Ambil SK` without its design waits in its own queue; the design in a reply opens it."""
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit"))
    office.work()
    [correction] = office.mails(APPLICANT, 1)
    assert "- desain yang telah direvisi" in correction.text
    [(number, before)] = states(office).items()
    assert before == ("ambil-sk-ot", State.WAITING, ("attachments",))
    office.submit(reply(correction, "Terlampir.", enclosed=PDF))
    office.work()
    office.mails(APPLICANT, 2)
    assert states(office) == {number: ("ambil-sk-ot", State.OPEN, ())}
    digest = digest_of(office, "ani@pom.go.id", 1)
    names = [name for name, _, _ in digest.attachments()]
    assert names == [f"{number}.eml", f"{number}-2.eml"], "the request and the design that came later"


def test_the_way_from_design_revision_to_letter_is_two_linked_tickets(office: FlowOffice) -> None:
    """D1 is answered, the applicant replies with D2's subject: a new ticket that names the first."""
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    office.work()
    digest = digest_of(office, "ani@pom.go.id", 1)
    given = Answer("Mohon diperbaiki.", (scan("revisi"),))
    for said in answer(digest.raw, only("DESAIN", given), now=office.clock.now()):
        office.submit(said)
    office.work()
    _, delivery = office.mails(APPLICANT, 2)
    office.submit(reply(delivery, "Sudah kami perbaiki.", subject="Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    _, _, acknowledgement = office.mails(APPLICANT, 3)
    first, second = sorted(states(office))
    assert first in acknowledgement.text
    assert second in acknowledgement.subject
    stores = office.stores()
    assert stores.desk.links(second) == [first]
    stores.database.close()


def test_an_officer_answers_a_notice_from_a_phone(office: FlowOffice) -> None:
    """A queue that asks for notices: the item comes at once, a plain reply with the command answers it."""
    rules = office.folder / "rules/loket-d.yaml"
    text = rules.read_text().replace("    due: 2 working days", "    notices: yes\n    due: 2 working days")
    rules.write_text(text)
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    [notice] = office.mails("ani@pom.go.id", 1)
    assert notice.attachments()[0][2] == office.servers.messages(DESIGN)[0]
    letter = scan("SK NIE")
    office.submit(
        officer_reply(
            notice.raw, "sk\nSelamat.\n\nDikirim dari iPhone saya", now=office.clock.now(), attachments=[letter]
        )
    )
    office.work()
    office.mails(APPLICANT, 1)
    office.confirm("ani@pom.go.id")
    _, delivery = office.mails(APPLICANT, 2)
    assert "Selamat." in delivery.text
    assert "iPhone" not in delivery.text
    assert "SK NIE terbit" in delivery.subject
    assert [sha256(data).digest() for _, _, data in delivery.attachments()] == [sha256(letter.content).digest()]


def test_a_letter_without_its_scan_is_refused_to_the_officer(office: FlowOffice) -> None:
    """Nothing leaves for the applicant; the officer is told why, the ticket stays open, the next try works."""
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    digest = digest_of(office, "ani@pom.go.id", 1)
    for said in answer(digest.raw, only("REVISI", Answer("Selamat.")), now=office.clock.now()):
        office.submit(said)
    office.work()
    _, refusal = office.mails("ani@pom.go.id", 2)
    assert "memerlukan lampiran" in refusal.text
    office.mails(APPLICANT, 1)
    [(_, state, _)] = states(office).values()
    assert state is State.OPEN
    for said in answer(digest.raw, only("REVISI", Answer("Selamat.", (scan("SK"),))), now=office.clock.now()):
        office.submit(said)
    office.work()
    office.mails(APPLICANT, 2)


def test_nothing_leaves_on_a_word_that_is_not_proven(office: FlowOffice) -> None:
    """Without a token, with another's token, with a doubtful From: quarantined, and the real officer told."""
    office.empty([APPLICANT, "maling@luar.example"])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    digest = digest_of(office, "ani@pom.go.id", 1)
    [sound] = answer(digest.raw, only("SK", Answer("", (scan("SK"),))), now=office.clock.now())
    subject = Mail(sound).subject
    forgeries = [
        mail("Ani <ani@pom.go.id>", DESIGN, "SK LKT-2026-000001-1", "SK\n", enclosed=PDF),
        mail("Maling <maling@luar.example>", DESIGN, subject, "SK\n", enclosed=PDF),
        mail("Budi <budi@pom.go.id>", DESIGN, subject, "SK\n", enclosed=PDF),
        sound.replace(b"ani@pom.go.id", b'"ani@pom.go.id" <maling@luar.example>', 1),
    ]
    for forged in forgeries:
        office.submit(forged)
    office.work()
    office.mails(APPLICANT, 1)
    told = [one.subject for one in office.mails("ani@pom.go.id", 1 + 3)[1:]]
    assert told == ["Email atas nama Anda ditahan"] * 3
    [budi] = office.mails("budi@pom.go.id", 1)
    assert "ditahan" in budi.subject
    stores = office.stores()
    assert len(stores.desk.quarantined()) == len(forgeries)
    stores.database.close()


def test_the_second_officers_answer_is_held(office: FlowOffice) -> None:
    """Two answer one ticket: one delivery; the second is kept with its scan and told who was first."""
    text = (office.folder / "config.yaml").read_text()
    office.set_up(("queues: [revisi-desain-sk, ambil-sk-sk]", "queues: [revisi-desain-sk, ambil-sk-sk, ambil-sk-ot]"))
    assert text != (office.folder / "config.yaml").read_text()
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    ani = digest_of(office, "ani@pom.go.id", 1)
    [budi] = office.mails("budi@pom.go.id", 1)
    for digest in (ani, budi):
        for said in answer(digest.raw, only("REVISI", Answer("", (scan("SK"),))), now=office.clock.now()):
            office.submit(said)
    office.work()
    office.mails(APPLICANT, 2)
    _, held = office.mails("budi@pom.go.id", 2)
    assert "sudah dijawab oleh Ani" in held.text


def test_status_is_told_to_its_own_people_alone(office: FlowOffice) -> None:
    """A stranger who knows the number learns nothing, not even that it exists."""
    office.empty([APPLICANT, "lain@luar.example"])
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    office.work()
    [number] = states(office)
    office.submit(mail(SITI, DESIGN, f"status {number}"))
    office.submit(mail("lain@luar.example", DESIGN, f"Status {number}"))
    office.submit(mail("lain@luar.example", DESIGN, "Status LKT-2026-000999-0"))
    office.work()
    _, status = office.mails(APPLICANT, 2)
    assert "sedang kami proses" in status.text
    answers = {
        one.text.replace(number, "N").replace("LKT-2026-000999-0", "N") for one in office.mails("lain@luar.example", 2)
    }
    assert len(answers) == 1, "the two answers differ in nothing but the number asked for"
    assert list(states(office)) == [number], "a question opens no ticket"


def test_machines_are_recorded_and_never_answered(office: FlowOffice) -> None:
    """Bounces, vacation notices and our own mail end as machine mail; lists get a ticket and no answer."""
    vacation = mail("Libur <libur@luar.example>", DESIGN, "Re: Revisi Desain_OT_X").replace(
        b"From:", b"Auto-Submitted: auto-replied\r\nFrom:", 1
    )
    news = mail("Kabar <kabar@luar.example>", DESIGN, "Revisi Desain_OT_Y").replace(
        b"From:", b"List-Id: <kabar.luar.example>\r\nFrom:", 1
    )
    office.empty(["libur@luar.example", "kabar@luar.example"])
    office.submit(vacation)
    office.submit(news)
    office.work()
    assert office.servers.messages("libur@luar.example") == []
    assert office.servers.messages("kabar@luar.example") == []
    assert [queue for queue, _, _ in states(office).values()] == ["revisi-desain-ot"]
    stores = office.stores()
    fates = next(view.fates for view in stores.desk.mailboxes() if view.mailbox == DESIGN)
    stores.database.close()
    assert fates == {"machine": 1, "ticket": 1}


def test_a_late_item_comes_first_in_the_digest(office: FlowOffice) -> None:
    """Three working days later the first request is late and heads the mail."""
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Pertama"))
    office.work()
    office.clock.wib(9, days=3)
    office.submit(mail(SITI, DESIGN, "Revisi Desain_OT_Kedua"))
    office.work()
    office.clock.wib(13, days=3)
    office.work()
    digest = office.mails("ani@pom.go.id", 2)[-1]
    assert digest.text.index("Pertama") < digest.text.index("Kedua")
    assert "TERLAMBAT" in digest.text
    assert "terlambat" in digest.subject.lower()
