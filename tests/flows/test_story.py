"""D1 and D2 of one product: one story to its applicant and to the officer, until the SK NIE goes out."""

from __future__ import annotations

import pytest

from loket.core.model import State, Ticket
from loket.demo.officer import reply as officer_reply
from tests.flows.letters import DESIGN, SITI, mail, reply, scan
from tests.flows.office import FlowOffice, Mail

APPLICANT, ANI = "siti@jamusari.example", "ani@pom.go.id"
OTHER = "Rudi <rudi@lain.example>"
PDF = scan("desain").content


class Design:
    """Siti and her products, and Ani who answers; each reads what is new to them."""

    def __init__(self, office: FlowOffice) -> None:
        self.office = office
        self.read: dict[str, int] = {}
        office.empty([APPLICANT, "rudi@lain.example"])
        rules = office.folder / "rules/loket-d.yaml"
        # Ani is told of each item at once.
        rules.write_text(rules.read_text().replace("    outcomes:\n", "    notices: yes\n    outcomes:\n"))

    def new(self, address: str) -> list[Mail]:
        found = [Mail(raw) for raw in self.office.servers.messages(address)]
        fresh = found[self.read.get(address, 0) :]
        self.read[address] = len(found)
        return fresh

    def sends(self, raw: bytes) -> Mail | None:
        """Siti sends; what she gets for it."""
        self.office.submit(raw)
        self.office.work()
        return next(iter(self.new(APPLICANT)), None)

    def answers(self, text: str, title: str) -> Mail:
        """Ani replies to her last notice with a scan; what Siti gets."""
        told = [one for one in self.new(ANI) if not one.subject.startswith("Rekap")]
        notice = [one for one in told if "CARA MENJAWAB" in one.text][-1]
        self.office.submit(officer_reply(notice.raw, text, now=self.office.clock.now(), attachments=(scan(title),)))
        self.office.work()
        if text.startswith("SK"):
            self.office.confirm(ANI)
        return self.new(APPLICANT)[-1]

    def ticket(self, of: Mail) -> Ticket:
        """The ticket that a mail is about, as it stands."""
        stores = self.office.stores()
        found = stores.desk.ticket(number(of))
        stores.database.close()
        assert found is not None
        return found


@pytest.fixture
def design(office: FlowOffice) -> Design:
    return Design(office)


def number(of: Mail) -> str:
    return of.subject.partition("]")[0].removeprefix("[")


def history(of: Mail) -> list[str]:
    """The lines of the history, wrapped ones in one piece."""
    block = of.text.partition("Riwayat:\n")[2].partition("\n\n")[0]
    return block.replace("\n  ", " ").splitlines()


def test_a_design_goes_to_and_fro_until_the_sk_nie_goes_out(design: Design) -> None:
    """Revision, design revised, still to be revised twice, the SK NIE; two lines tell it, the officer sees it whole."""
    first = design.sends(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    assert first is not None
    assert history(first) == [], "nothing to look back at"
    sent = design.answers("DESAIN", "desain-1")
    assert history(sent) == []
    one = number(sent)
    design.office.clock.wib(10, days=1)
    # Written anew, from the phone, another way.
    second = design.sends(mail(SITI, DESIGN, "ambil SK - OT - jamu-kunyit", enclosed=PDF))
    assert second is not None
    two = number(second)
    assert two != one
    assert history(second) == [
        f"- 24 November 2026: Revisi desain kemasan (OT) diajukan, {one}",
        f"- 24 November 2026: Scan revisi desain dikirim, {one}",
    ]
    again = design.answers("REVISI\n\nWarna logo.", "catatan-1")
    design.office.clock.wib(9, days=2)
    assert design.sends(reply(again, "Sudah kami perbaiki.", enclosed=PDF)) is None
    again = design.answers("REVISI\n\nTinggal alamat.", "catatan-2")
    assert history(again) == [
        f"- 24 November 2026: Revisi desain kemasan (OT) diajukan, {one}",
        f"- 25 November 2026: Desain masih perlu direvisi, {two}",
    ]
    # As the notice says it: the revised design by a new mail with the same subject. The old ticket waits no more.
    design.office.clock.wib(9, days=3)
    third = design.sends(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", "Perbaikan kedua.\n", enclosed=PDF))
    assert third is not None
    three = number(third)
    assert history(third)[-1] == f"- 26 November 2026: Desain masih perlu direvisi (2 kali), {two}"
    assert design.ticket(second).state is State.CLOSED
    # Ani sees all of it, in the digest and by STATUS.
    design.office.clock.wib(13, days=3)
    design.office.work()
    mails = design.new(ANI)
    digest = next(one for one in mails if one.subject.startswith("Rekap"))
    for line in (
        f"Revisi desain kemasan (OT) ({one})",
        f"Scan revisi desain dikirim, Ani ({one})",
        f"Pengambilan SK NIE (OT) ({two})",
        f"Desain masih perlu direvisi, Ani ({two})",
        f"Pengambilan SK NIE (OT) ({three})",
    ):
        assert line in digest.text
        assert line in digest.markup
    design.read[ANI] -= len(mails)
    issued = design.answers("SK\n\nSelamat.", "sk-nie")
    assert "SK NIE terbit" in issued.subject
    assert len(history(issued)) == 2
    assert history(issued)[0].endswith(f"diajukan, {one}")
    assert design.ticket(issued).state is State.CLOSED
    asked = design.sends(mail(SITI, DESIGN, f"Status {three}"))
    assert asked is not None
    assert history(asked)[-1] == f"- 27 November 2026: SK NIE terbit, {three}"


def test_nobody_reads_of_anothers_product(design: Design) -> None:
    """Neither of the same name, nor by its number in a subject; another category is another product."""
    first = design.sends(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    assert first is not None
    design.answers("DESAIN", "desain-1")
    design.office.submit(mail(OTHER, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    design.office.submit(mail(OTHER, DESIGN, f"Ambil SK_OT_Jamu Jahe [{number(first)}]", enclosed=PDF))
    design.office.work()
    for letter in design.new("rudi@lain.example"):
        assert number(first) not in letter.text.partition("menulis:")[0].replace(f"[{number(first)}]", "")
        assert history(letter) == []
    supplement = design.sends(mail(SITI, DESIGN, "Ambil SK_SK_Jamu Kunyit", enclosed=PDF))
    assert supplement is not None
    assert history(supplement) == []


def test_what_is_completed_later_is_a_part_of_the_story_then(design: Design) -> None:
    first = design.sends(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Kunyit"))
    assert first is not None
    incomplete = design.sends(mail(SITI, DESIGN, "Ambil SK_Jamu Kunyit", enclosed=PDF))
    assert incomplete is not None
    assert history(incomplete) == []
    completed = design.sends(reply(incomplete, "OT"))
    assert completed is not None
    assert history(completed)[0] == f"- 24 November 2026: Revisi desain kemasan (OT) diajukan, {number(first)}"


def test_a_tte_letter_is_fetched_in_asrot_and_a_reply_reaches_an_officer(design: Design) -> None:
    """The list is the admin's; whoever doubts it is heard."""
    listing = design.office.folder / "rules/tte.txt"
    listing.write_text(listing.read_text() + "Jamu Digital Cap Awan\n")
    told = design.sends(mail(SITI, DESIGN, "Revisi Desain_OT_jamu  digital cap AWAN"))
    assert told is not None
    assert "Silakan ambil di ASROT" in told.subject
    assert "ditandatangani secara elektronik (TTE)" in told.text
    assert "https://asrot.pom.go.id/asrot/" in told.text
    assert design.ticket(told).state is State.CLOSED
    assert design.new(ANI) == []
    design.sends(reply(told, "Di ASROT belum ada."))
    assert design.ticket(told).state is State.OPEN
    assert [number(told) in one.subject for one in design.new(ANI)] == [True]
    other = design.sends(mail(SITI, DESIGN, "Revisi Desain_OT_Jamu Biasa"))
    assert other is not None
    assert "Sudah kami terima" in other.subject
