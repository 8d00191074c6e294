"""Each layer of an officer's proof missing, wrong, stale, replayed or lifted, alone and in all pairs (promise P15).

Every cell is a mail of its own, on Dovecot as a border would have handed it over. Of each the same is asked: nothing
leaves for the applicant, the mail is in quarantine, and the real officer is told at the registered address.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain, combinations, product

import pytest

from loket.core.model import State
from loket.core.token import Keys
from loket.demo.attach import pdf
from tests.flows.letters import DESIGN, SITI, mail
from tests.flows.office import MORNING, FlowOffice, Mail
from tests.flows.test_proof import ANI, APPLICANT, BUDI, KEYS, MX, RECEIVED, THIEF, machine

NUMBER, OTHER = "LKT-2026-000001-1", "LKT-2026-000002-9"
SCAN = pdf("SK NIE")


@dataclass(frozen=True)
class Forgery:
    """A mail in Ani's name, layer by layer; `{token}` in a field is the token of the layer."""

    author: str = f"Ani <{ANI}>"
    token: str = "ani"
    carried: str = "In-Reply-To: <{token}.0a@gmail.com>\r\n"
    border: str = f"Authentication-Results: {MX}; dmarc=pass header.from=pom.go.id\r\n{RECEIVED}"
    more: str = ""
    # What the mail says: an answer with its scan, or a word about a code.
    code: str = ""
    enclosed: str = ""

    def raw(self, tokens: dict[str, str], codes: dict[str, str], cell: int) -> bytes:
        carried = self.carried.format(token=tokens[self.token]) if self.token else ""
        words = self.code.format(**codes) if self.code else "SK\r\n\r\nSelamat."
        inside = self.enclosed.format(token=tokens[self.token or "ani"], **codes)
        parts = [f"Content-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"]
        if not self.code:
            parts.append(
                'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="SK NIE.pdf"\r\n'
                f"Content-Transfer-Encoding: base64\r\n\r\n{b64encode(SCAN).decode()}"
            )
        parts += [f"Content-Type: message/rfc822\r\n\r\n{inside}\r\n"] if inside else []
        body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
        head = (
            f"{self.border}{self.more}{carried}From: {self.author}\r\nTo: {DESIGN}\r\n"
            f"Subject: Re: SK cell{cell:04d}.\r\n"
            f"Message-ID: <cell{cell:04d}@pom.go.id>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0700\r\n"
            'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        )
        return head.encode() + body.encode()


Way = Callable[[Forgery], Forgery]


def author(text: str) -> Way:
    return lambda one: replace(one, author=text)


def border(value: str) -> Way:
    return lambda one: replace(one, border=f"Authentication-Results: {value}\r\n{RECEIVED}")


def stands(fields: str) -> Way:
    return lambda one: replace(one, border=fields)


def code(text: str) -> Way:
    return lambda one: replace(one, code=text)


SAID = f"Authentication-Results: {MX}; dmarc=pass header.from=pom.go.id\r\n"
FOREIGN = "Received: from a by relay.luar.example with ESMTP; x\r\n"
FORWARDED = "Message-ID: <{token}.0a@gmail.com>\r\nReferences: <{token}@gmail.com>\r\nSubject: Rekap [{token}]\r\n\r\n"

AUTHORS: dict[str, Way] = {
    "an officer's address as a quoted name": author(f'"{ANI}" <{THIEF}>'),
    "an officer's address as a bare name": author(f"{ANI} <{THIEF}>"),
    "an address in a name, in an encoded word": author(f"=?utf-8?q?ani=40pom.go.id?= <{THIEF}>"),
    "an address in a name, in two encoded words": author(f"=?utf-8?q?ani=40?= =?utf-8?b?cG9tLmdvLmlk?= <{THIEF}>"),
    "an officer's address in brackets in a name": author(f'"Ani ({ANI})" <{THIEF}>'),
    "an address that is an encoded word": author("=?utf-8?b?YW5pQHBvbS5nby5pZA==?="),
    "an address in brackets that is an encoded word": author("Ani <=?utf-8?b?YW5pQHBvbS5nby5pZA==?=>"),
    "two addresses": author(f"Ani <{ANI}>, <{THIEF}>"),
    "two addresses, the officer's second": author(f"<{THIEF}>, Ani <{ANI}>"),
    "two addresses in two brackets": author(f"Ani <{ANI}> <{THIEF}>"),
    "a second From field above": lambda one: replace(one, more=f"From: {THIEF}\r\n"),
    "a second From field below": lambda one: replace(one, author=f"{THIEF}\r\nFrom: Ani <{ANI}>"),
    "a second From field with a space before its colon": lambda one: replace(one, more=f"From : {THIEF}\r\n"),
    "the same From field twice": lambda one: replace(one, more=f"From: Ani <{ANI}>\r\n"),
    "a comment": author(f"({ANI}) {ANI}"),
    "a comment in the address": author("ani(x)@pom.go.id"),
    "a group": author(f"Petugas: Ani <{ANI}>;"),
    "a route": author(f"Ani <@luar.example:{ANI}>"),
    "a quoted local part": author('Ani <"ani"@pom.go.id>'),
    "a domain with a dot behind it": author(f"Ani <{ANI}.>"),
    "a Cyrillic letter": author("Ani <\u0430ni@pom.go.id>"),
    "a Cyrillic letter in the domain": author("Ani <ani@p\u043em.go.id>"),
    "the same in Punycode": author("Ani <ani@xn--pm-fmc.go.id>"),
    "a figure for a letter": author("Ani <ani@p0m.go.id>"),
    "wide letters": author("Ani <\uff41ni@pom.go.id>"),
    "an invisible mark": author("Ani <ani\u200b@pom.go.id>"),
    "a mark that turns the line around": author(f"\u202e{ANI} <{THIEF}>"),
    "a colleague": author(f"Budi <{BUDI}>"),
}
TOKENS: dict[str, Way] = {
    "none": lambda one: replace(one, token=""),
    "a colleague's": lambda one: replace(one, token="budi"),
    "a stale one": lambda one: replace(one, token="stale"),
    "one of another key": lambda one: replace(one, token="foreign"),
    "one with another ticket's number": lambda one: replace(one, token="renumbered"),
    "one with another day": lambda one: replace(one, token="prolonged"),
    "the applicant's reference": lambda one: replace(one, token="reference"),
    "cut short": lambda one: replace(one, token="short"),
    "in a field that no client answers with": lambda one: replace(one, carried="X-Loket-Token: {token}\r\n"),
    "in the Message-ID's place of another field": lambda one: replace(
        one, carried="Resent-Message-ID: <{token}@x>\r\n"
    ),
    "in a name of the From field": lambda one: replace(one, carried="Comments: {token}\r\n"),
    "in a digest that is enclosed": lambda one: replace(one, carried="", enclosed=FORWARDED),
}
BORDERS: dict[str, Way] = {
    "no field": stands(RECEIVED),
    "no field and no Received": stands(""),
    "says that it is forged": border(f"{MX}; dmarc=fail header.from=pom.go.id"),
    "says both": border(f"{MX}; dmarc=fail header.from=pom.go.id; dkim=pass header.d=pom.go.id"),
    "judged another author": border(f"{MX}; dmarc=pass header.from=luar.example"),
    "judged a domain below": border(f"{MX}; dmarc=pass header.from=x.pom.go.id"),
    "judged nobody in particular": border(f"{MX}; dmarc=pass"),
    "the envelope alone": border(f"{MX}; spf=pass smtp.mailfrom={ANI}"),
    "another domain's signature": border(f"{MX}; dkim=pass header.d=luar.example"),
    "a name below it": border("x.mx.pom.go.id; dmarc=pass header.from=pom.go.id"),
    "a name above it": border("pom.go.id; dmarc=pass header.from=pom.go.id"),
    "a longer name": border(f"{MX}.luar.example; dmarc=pass header.from=pom.go.id"),
    "a dot behind the name": border(f"{MX}.; dmarc=pass header.from=pom.go.id"),
    "capitals": border("MX.pom.go.id; dmarc=pass header.from=pom.go.id"),
    "a figure for a letter": border("mx.p0m.go.id; dmarc=pass header.from=pom.go.id"),
    "a Cyrillic letter": border("mx.p\u043em.go.id; dmarc=pass header.from=pom.go.id"),
    "Punycode": border("mx.xn--pm-fmc.go.id; dmarc=pass header.from=pom.go.id"),
    "a comment before the name": border(f"(really) {MX}; dmarc=pass header.from=pom.go.id"),
    "the name in a comment": border(f"({MX};) mx.luar.example; dmarc=pass header.from=pom.go.id"),
    "the name in quotes": border(f'"{MX}"; dmarc=pass header.from=pom.go.id'),
    "the name in an encoded word": border(f"=?utf-8?q?{MX}?=; dmarc=pass header.from=pom.go.id"),
    "the name folded": border("mx.pom\r\n\t.go.id; dmarc=pass header.from=pom.go.id"),
    "another version": border(f"{MX} 2; dmarc=pass header.from=pom.go.id"),
    "the result in a comment": border(f"{MX}; (dmarc=pass header.from=pom.go.id) spf=none"),
    "the result in a quotation": border(f'{MX}; spf=none reason="; dmarc=pass header.from=pom.go.id"'),
    "an open comment": border(f"{MX}; dmarc=pass header.from=pom.go.id (open"),
    "the result twice": border(f"{MX}; dmarc=pass header.from=pom.go.id; dmarc=pass header.from=pom.go.id"),
    "two fields of the border": stands(SAID + SAID + RECEIVED),
    "two fields that differ": stands(SAID + SAID.replace("pass", "fail") + RECEIVED),
    "under somebody else's field": stands(f"Authentication-Results: mx.luar.example; none\r\n{SAID}{RECEIVED}"),
    "below the border": stands(RECEIVED + SAID),
    "below a forged Received of the border": stands(RECEIVED + SAID + RECEIVED),
    "under a foreign Received": stands(FOREIGN + SAID + RECEIVED),
    "above a foreign Received": stands(SAID + FOREIGN + RECEIVED),
    "another field's name": stands(SAID.replace("Authentication", "X-Authentication") + RECEIVED),
    "a sealed set": stands(f"ARC-{SAID.replace('Results: ', 'Results: i=1; ')}{RECEIVED}"),
    "in an enclosed mail": lambda one: replace(one, border=RECEIVED, enclosed=f"{SAID}{RECEIVED}From: {ANI}\r\n\r\nSK"),
    "in the body": lambda one: replace(one, border=RECEIVED, more="Comments: x\r\n", enclosed=f"\r\n{SAID}"),
}
# What comes back for a letter that waits: the right code is `{code}`, told to Ani alone.
CODES: dict[str, Way] = {
    "none": code("YA"),
    "cut short": code("YA {short}"),
    "in a quotation": code("YA\r\n\r\nPada 24 Nov 2026 pukul 09.00 Loket menulis:\r\n> YA {code}"),
    "in a quotation without marks": code("YA\r\n\r\n-----Pesan Asli-----\r\nYA {code}"),
    "in an enclosed mail": lambda one: replace(one, code="YA", enclosed="Subject: Konfirmasi\r\n\r\nYA {code}\r\n"),
    "in a field": lambda one: replace(one, code="YA", more="Comments: YA {code}\r\n"),
    # Each of these is a try, and after twenty tries none is left to be wrong about.
    "a wrong one": code("YA ABCDE-FGHIJ"),
    "a colleague's": code("YA {budi}"),
    "a used one": code("YA {used}"),
    "a stale one": code("YA {stale}"),
}
# Of the other layers what spoils a word with the right code: there our border need not speak, only not say no.
WORD = {"author": AUTHORS, "token": TOKENS, "border": {name: BORDERS[name] for name in BORDERS if "says" in name}}
LAYERS = {"author": AUTHORS, "token": TOKENS, "border": BORDERS, "code": CODES}
ALONE = [(layer,) for layer in LAYERS]
PAIRS = list(combinations(LAYERS, 2))


@dataclass
class Scene:
    """An office that trusts a border and asks for both: its word and a code. Siti waits for a letter."""

    office: FlowOffice
    codes: dict[str, str] = field(default_factory=dict)
    before: int = 0

    def __post_init__(self) -> None:
        office = self.office
        text = (office.folder / "config.yaml").read_text()
        doors = re.search(r"gmail: \{(imap: .*)\}$", text, re.MULTILINE)
        assert doors
        hops = f"trust: {{authserv: [{MX}], hops: ['{machine(office)}']}}"
        office.set_up((doors[0], f"gmail: {{{doors[1]}, {hops}}}"), ("tries: 5", "tries: 20"))
        rules = office.folder / "rules/loket-d.yaml"
        before, after = "proof: either ", "proof: both "
        assert before in rules.read_text()
        rules.write_text(rules.read_text().replace(before, after))
        office.empty([APPLICANT, THIEF])
        for about in ("Ambil SK_OT_Jamu Kunyit", "Ambil SK_OT_Jamu Temulawak", "Ambil SK_SK_Vitamin"):
            office.submit(mail(SITI, DESIGN, about, enclosed=SCAN))
        office.work()
        self.before = len(office.mails(APPLICANT, 3))

    def tokens(self) -> dict[str, str]:
        sound = KEYS.officer(NUMBER, ANI, MORNING)
        day = sound.split(".")[3]
        return {
            "ani": sound,
            "ani, second": KEYS.officer(OTHER, ANI, MORNING),
            "budi": KEYS.officer(NUMBER, BUDI, MORNING),
            "budi, third": KEYS.officer("LKT-2026-000003-7", BUDI, MORNING),
            "stale": KEYS.officer(NUMBER, ANI, MORNING - timedelta(days=91)),
            "foreign": Keys("k1", {"k1": b"another key, as long as ours"}).officer(NUMBER, ANI, MORNING),
            "renumbered": sound.replace(NUMBER, OTHER),
            "prolonged": sound.replace(f".{day}.", f".{int(day) + 1}."),
            "reference": KEYS.ticket(NUMBER),
            "short": sound[:-1],
        }

    def write_codes(self) -> None:
        """One that nobody used in time, one that was used, a colleague's, and the one that is good."""
        office = self.office
        budi = replace(GOOD, author=f"Budi <{BUDI}>", token="budi, third")
        self.codes["stale"] = self._told(ANI, GOOD, 9001)
        office.clock.at += timedelta(hours=25)
        office.work()
        self.codes["used"] = self._told(ANI, replace(GOOD, token="ani, second"), 9002)
        self.send((9003, replace(GOOD, token="ani, second", code="YA {used}")))
        self.before += 1
        assert len(office.mails(APPLICANT, self.before)) == self.before
        self.codes["budi"] = self._told(BUDI, budi, 9004)
        self.codes["code"] = self._told(ANI, GOOD, 9005)
        self.codes["short"] = self.codes["code"][:-1]
        assert len(set(self.codes.values())) == 5

    def _told(self, officer: str, said: Forgery, cell: int) -> str:
        self.send((cell, said))
        self.office.clock.at += timedelta(minutes=2)
        self.office.work()
        return re.findall(r"YA ([A-Z2-7-]{11})", Mail(self.office.servers.messages(officer)[-1]).text)[0]

    def send(self, *cells: tuple[int, Forgery]) -> None:
        for cell, said in cells:
            self.office.servers.lmtp(said.raw(self.tokens(), self.codes, cell), DESIGN, ANI)
        self.office.work()

    def quarantined(self) -> dict[int, str]:
        """The cells that are set aside, and why."""
        lying = [re.search(rb"Subject: Re: SK cell(\d+)", raw) for raw in self.office.servers.messages(DESIGN)]
        stores = self.office.stores()
        rows = [row for row in stores.desk.quarantined() if row["mailbox"] == DESIGN]
        stores.database.close()
        found = {row["uid"]: row["reason"] for row in rows}
        return {int(cell[1]): found[uid] for uid, cell in enumerate(lying, 1) if cell and uid in found}

    def told(self, officer: str) -> set[int]:
        """The cells of which an officer was told: by their subject, or in answer to them."""
        found: set[int] = set()
        for one in map(Mail, self.office.servers.messages(officer)):
            found.update(int(cell) for cell in re.findall(r"cell(\d{4})", f"{one.text} {one.message['In-Reply-To']}"))
        return found

    def hold(self, cells: dict[int, tuple[str, Forgery]]) -> None:
        """Of each cell: nothing left, it is in quarantine, and whoever it was meant to be has been told."""
        self.send(*((cell, said) for cell, (_, said) in cells.items()))
        assert [Mail(raw).subject for raw in self.office.servers.messages(APPLICANT)[self.before :]] == []
        assert self.office.servers.messages(THIEF) == []
        aside, ani, budi = self.quarantined(), self.told(ANI), self.told(BUDI)
        for cell, (name, said) in cells.items():
            assert aside.get(cell, "").startswith(("officer: ", "held: not-authenticated", "held: not-your-queue")), (
                name,
                aside.get(cell),
            )
            colleague = BUDI in said.author or said.token == "budi"
            assert cell in ani or (colleague and cell in budi), name
        stores = self.office.stores()
        ticket = stores.desk.ticket(NUMBER)
        stores.database.close()
        assert ticket is not None
        assert (ticket.state, ticket.answered_by) == (State.OPEN, None)


GOOD = Forgery()
RIGHT = replace(GOOD, code="YA {code}")


def cells(*layers: str) -> dict[int, tuple[str, Forgery]]:
    """Each way of one layer, or each of one with each of another."""
    # The codes, last in `LAYERS`, change slowest: what is no try comes while there is something to try.
    ways = [LAYERS[layer].items() for layer in reversed(layers)]
    found = []
    for chosen in product(*ways):
        said = GOOD
        for _, spoil in reversed(chosen):
            said = spoil(said)
        found.append(("; ".join(name for name, _ in chosen), said))
    return dict(enumerate(found))


@pytest.fixture
def scene(office: FlowOffice) -> Scene:
    return Scene(office)


def test_the_same_mail_unspoilt_lets_the_letter_go(scene: Scene) -> None:
    """What all cells differ from: with every layer as it should be, one letter leaves."""
    scene.codes["code"] = scene._told(ANI, GOOD, 0)
    scene.send((1, RIGHT))
    letter = scene.office.mails(APPLICANT, scene.before + 1)[-1]
    assert letter.attachments()[0][2] == SCAN
    assert scene.quarantined() == {}


@pytest.mark.parametrize("layers", [*ALONE, *PAIRS], ids=" and ".join)
def test_a_spoilt_layer_or_two_lets_nothing_go_and_the_officer_hears_of_it(
    scene: Scene, layers: tuple[str, ...]
) -> None:
    """Each way of a layer alone, and each way of every two layers together."""
    if "code" in layers:
        scene.write_codes()
    scene.hold(cells(*layers))


def test_the_right_code_in_a_spoilt_mail_lets_nothing_go(scene: Scene) -> None:
    """And is not used up by it: her own word lets the letter go afterwards."""
    scene.write_codes()
    spoilt = chain.from_iterable(ways.items() for ways in WORD.values())
    scene.hold({at: (name, spoil(RIGHT)) for at, (name, spoil) in enumerate(spoilt)})
    scene.send((9999, RIGHT))
    assert len(scene.office.mails(APPLICANT, scene.before + 1)) == scene.before + 1
