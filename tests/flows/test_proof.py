"""What an officer's mail proves, and what its code lets go (promise P15).

Through the real servers: the mail lies on Dovecot as a border would have handed it over, with the border's word above
its own Received. `test_forgeries.py` spoils each layer, alone and in pairs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

import pytest

from loket.core.token import Keys
from loket.demo.attach import pdf
from loket.demo.officer import Answer, answer, confirm
from tests.flows.letters import DESIGN, SITI, mail, scan
from tests.flows.office import MORNING, SECRET, FlowOffice, Mail
from tests.flows.test_conversations import PDF, digest_of, only

APPLICANT, ANI, BUDI, THIEF = "siti@jamusari.example", "ani@pom.go.id", "budi@pom.go.id", "maling@luar.example"
MX = "mx.pom.go.id"
RECEIVED = f"Received: from mail.pom.go.id (mail.pom.go.id [192.0.2.1])\r\n\tby {MX} (Postfix) with ESMTPS; x\r\n"
KEYS = Keys("k1", {"k1": SECRET.encode()})
SCAN = scan("SK NIE")


@dataclass(frozen=True)
class Try:
    """A mail in Ani's name, layer by layer."""

    author: str = f"Ani <{ANI}>"
    token: str = "ani"
    border: str = f"{MX}; dmarc=pass header.from=pom.go.id"
    body: str = "SK\r\n\r\nSelamat.\r\n"
    above: str = ""
    where: str = "above"

    def raw(self, tokens: dict[str, str], number: int) -> bytes:
        said = f"Authentication-Results: {self.border}\r\n" if self.border else ""
        head = {"above": said + RECEIVED, "below": RECEIVED + said, "nowhere": RECEIVED}[self.where]
        found = mail("x@x", DESIGN, "Re: SK", enclosed=SCAN.content, name=SCAN.name)
        message_id = f"<{sha256(repr((self, number)).encode()).hexdigest()[:20]}@pom.go.id>"
        text = re.sub(rb"(?m)^From: .*$", f"From: {self.author}\r".encode(), found, count=1)
        text = re.sub(rb"(?m)^Message-ID: .*$", f"Message-ID: {message_id}\r".encode(), text, count=1)
        reference = f"In-Reply-To: <{tokens[self.token]}.0a@gmail.com>\r\n" if self.token else ""
        text = text.replace(b"Mohon dibantu.\r\n", self.body.encode())
        return (head + self.above + reference).encode() + text


GOOD = Try()


@pytest.fixture
def guarded(office: FlowOffice) -> FlowOffice:
    """The office with a border that it trusts, and one request for an SK NIE."""
    text = (office.folder / "config.yaml").read_text()
    doors = re.search(r"gmail: \{(imap: .*)\}$", text, re.MULTILINE)
    assert doors
    hops = f"trust: {{authserv: [{MX}], hops: ['{machine(office)}']}}"
    office.set_up((doors[0], f"gmail: {{{doors[1]}, {hops}}}"))
    office.empty([APPLICANT, THIEF])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    digest_of(office, ANI, 1)
    return office


def machine(office: FlowOffice) -> str:
    """How Dovecot calls the machine in the Received it writes."""
    office.servers.lmtp(b"Subject: x\r\n\r\nx\r\n", "hop@hop.test")
    found = re.search(rb"\bby (\S+) with LMTP", office.servers.wait_for("hop@hop.test", 1)[0].replace(b"\n\t", b" "))
    assert found
    return found[1].decode()


def tokens() -> dict[str, str]:
    number = "LKT-2026-000001-1"
    return {
        "ani": KEYS.officer(number, ANI, MORNING),
        "budi": KEYS.officer(number, BUDI, MORNING),
        "stale": KEYS.officer(number, ANI, MORNING - timedelta(days=91)),
        "foreign": Keys("k1", {"k1": b"another key, as long as ours"}).officer(number, ANI, MORNING),
        "reference": KEYS.ticket(number),
    }


def deliver(office: FlowOffice, *mails: bytes) -> None:
    for raw in mails:
        office.servers.lmtp(raw, DESIGN, ANI)
    office.work()


def deliveries(office: FlowOffice) -> list[Mail]:
    """What reached the applicant beside the acknowledgement."""
    office.servers.wait_for(APPLICANT, 1)
    return [Mail(raw) for raw in office.servers.messages(APPLICANT)][1:]


def quarantined(office: FlowOffice) -> list[str]:
    stores = office.stores()
    found = [row["reason"] for row in stores.desk.quarantined()]
    stores.database.close()
    return found


def test_a_mail_with_every_layer_lets_the_letter_go_at_once_and_once(guarded: FlowOffice) -> None:
    """Sent again by whoever caught it, as it was or under another Message-ID, it lets nothing more go."""
    deliver(guarded, GOOD.raw(tokens(), 1))
    [letter] = deliveries(guarded)
    assert sha256(letter.attachments()[0][2]).digest() == sha256(SCAN.content).digest()
    assert quarantined(guarded) == []
    deliver(guarded, GOOD.raw(tokens(), 1), GOOD.raw(tokens(), 2))
    assert len(deliveries(guarded)) == 1
    assert "sudah dijawab" in Mail(guarded.servers.messages(ANI)[-1]).text


NO_WORD = {
    "no field": replace(GOOD, border=""),
    "a look-alike": replace(GOOD, border="mx.pom.go.id.luar.example; dmarc=pass header.from=pom.go.id"),
    "in capitals": replace(GOOD, border="MX.pom.go.id; dmarc=pass header.from=pom.go.id"),
    "in a comment": replace(GOOD, border=f"({MX};) mx.luar.example; dmarc=pass header.from=pom.go.id"),
    "folded": replace(GOOD, border="mx.pom\r\n\t.go.id; dmarc=pass header.from=pom.go.id"),
    "encoded": replace(GOOD, border="=?utf-8?q?mx.pom.go.id?=; dmarc=pass header.from=pom.go.id"),
    "twice": replace(GOOD, border=f"{GOOD.border}\r\nAuthentication-Results: {GOOD.border}"),
    "below the border": replace(GOOD, where="below"),
    "below a foreign Received": replace(
        GOOD, where="nowhere", above=f"Received: by x.example; x\r\nAuthentication-Results: {GOOD.border}\r\n"
    ),
    "below a forged Received of the border": replace(GOOD, where="below", above=RECEIVED),
    "another domain's signature": replace(GOOD, border=f"{MX}; dkim=pass header.d=luar.example"),
    "in the body": replace(GOOD, border="", body=f"SK\r\n\r\nAuthentication-Results: {GOOD.border}\r\n"),
}


def test_a_border_that_says_nothing_leaves_the_word_to_the_officer(guarded: FlowOffice) -> None:
    """Whatever looks like the border's word and is not: the letter waits for a code that she alone is told."""
    deliver(guarded, *(one.raw(tokens(), index) for index, one in enumerate(NO_WORD.values())))
    assert deliveries(guarded) == []
    assert quarantined(guarded) == []
    told = guarded.confirm(ANI)
    assert told.text.count("LKT-2026-000001-1") == 1, "the last answer stands for those before it"
    [letter] = deliveries(guarded)
    assert sha256(letter.attachments()[0][2]).digest() == sha256(SCAN.content).digest()


def test_a_word_that_is_wrong_used_stale_or_lifted_lets_nothing_go(guarded: FlowOffice) -> None:
    """The code replayed, guessed, sent by others, in quoted or enclosed words, and after its day."""
    held = replace(GOOD, border="")
    deliver(guarded, held.raw(tokens(), 1))
    guarded.clock.at += timedelta(minutes=2)
    guarded.work()
    [told] = [raw for raw in guarded.servers.messages(ANI) if confirm(raw, now=MORNING)]
    word = confirm(told, now=guarded.clock.now())
    assert word is not None
    [code] = re.findall(r"YA ([A-Z2-7-]{11})", Mail(told).text)[:1]
    bare = replace(held, body=f"YA {code}\r\n")
    lifted = [
        replace(bare, author=f"Budi <{BUDI}>"),
        replace(bare, author=f"{ANI} <{THIEF}>"),
        replace(bare, token=""),
        replace(bare, token="stale"),
        replace(bare, border=f"{MX}; dmarc=fail header.from=pom.go.id"),
        replace(bare, body="YA ABCDE-FGHIJ\r\n"),
        replace(bare, body="YA\r\n"),
    ]
    deliver(guarded, *(one.raw(tokens(), index) for index, one in enumerate(lifted, start=10)))
    assert deliveries(guarded) == []
    assert sorted(quarantined(guarded)) == sorted(
        f"officer: {why}"
        for why in ("stale-token", "doubtful-from", "no-token", "stale-token", "forged", "wrong-code", "no-code")
    )
    quoted = replace(held, body=f"CATATAN\r\n\r\nlihat\r\n> YA {code}\r\n")
    deliver(guarded, quoted.raw(tokens(), 20))
    assert deliveries(guarded) == []
    guarded.submit(word)
    guarded.work()
    assert len(deliveries(guarded)) == 1
    guarded.submit(word.replace(b"Message-ID: <", b"Message-ID: <again."))
    guarded.work()
    assert len(deliveries(guarded)) == 1
    assert quarantined(guarded).count("officer: no-code") == 2


def test_no_word_within_a_day_sets_the_letter_aside(guarded: FlowOffice) -> None:
    """Nothing leaves; the answer is in quarantine, and she is told."""
    deliver(guarded, replace(GOOD, border="").raw(tokens(), 1))
    guarded.clock.wib(13, 30, days=1)
    guarded.work()
    assert deliveries(guarded) == []
    assert quarantined(guarded) == ["held: code-lapsed"]
    assert "Surat tidak dikirim karena tidak dikonfirmasi" in [
        Mail(raw).subject.partition("] ")[2] for raw in guarded.servers.messages(ANI)
    ]


def test_ten_letters_of_a_session_need_one_code(office: FlowOffice) -> None:
    """Ten answers, one mail with a code, one word: ten letters, each with its own scan."""
    office.empty([APPLICANT])
    for index in range(10):
        office.submit(mail(SITI, DESIGN, f"Ambil SK_OT_Jamu {index}", enclosed=pdf(str(index))))
    office.work()
    digest = digest_of(office, ANI, 1)
    scans = [scan(f"SK NIE {index}") for index in range(10)]
    left = iter(scans)
    for said in answer(
        digest.raw,
        lambda link: only("SK", Answer("", (next(left),)))(link) if link.command == "SK" else None,
        now=office.clock.now(),
    ):
        office.submit(said)
        office.work()
    assert len(deliveries(office)) == 9, "the other nine acknowledgements"
    told = office.confirm(ANI)
    assert told.subject == "Konfirmasi sebelum 10 surat dikirim"
    assert len([raw for raw in office.servers.messages(ANI) if confirm(raw, now=MORNING)]) == 1
    letters = [one for one in deliveries(office) if one.attachments()]
    assert sorted(sha256(one.attachments()[0][2]).hexdigest() for one in letters) == sorted(
        sha256(each.content).hexdigest() for each in scans
    )


def test_a_scan_that_nobody_can_read_comes_back_to_the_officer(office: FlowOffice) -> None:
    """Locked, cut off, or no scan at all: told with the reason, before anything leaves or waits."""
    office.empty([APPLICANT])
    office.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    office.work()
    digest = digest_of(office, ANI, 1)
    for content in (b"%PDF-1.7 cut", b"PK\x03\x04 a letter in another form", b"%PDF-1.4\n" + b"<<" * 10_000):
        broken = replace(SCAN, content=content)
        for command in ("SK", "REVISI"):
            for said in answer(digest.raw, only(command, Answer("", (broken,))), now=office.clock.now()):
                office.submit(said)
    office.work()
    told = office.mails(ANI, 1 + 6)[1:]
    assert all("tidak dapat dibaca sebagai PDF" in one.text for one in told)
    assert deliveries(office) == []
