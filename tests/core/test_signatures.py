"""DKIM signatures verified here: real keys, a resolver that is a function, and what must not count as one."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import dkim
import pytest
from nacl.signing import SigningKey

from loket.core.authres import Trust
from loket.core.model import Scan
from loket.examine import Examiner
from loket.scans import Inspector
from loket.signatures import Signatures, ask_dns
from tests.core.desk import ANI, DESAIN, KEYS, NOW, PDF, TONO, letter, office
from tests.core.desk import read as parsed
from tests.core.proofs import house

DOMAIN = "pom.go.id"
MAIL = (
    b"From: Ani <ani@pom.go.id>\r\nTo: desain@gmail.com\r\nSubject: Re: LKT\r\n"
    b"Date: Tue, 24 Nov 2026 09:00:00 +0700\r\nMessage-ID: <a@pom.go.id>\r\n\r\nSK\r\n\r\nSelamat.\r\n"
)
SIGNED = [b"From", b"Subject", b"To", b"In-Reply-To", b"References"]


def openssl(*args: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *args], input=given, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def key() -> bytes:
    """An RSA key as a mail server has one."""
    return openssl("genrsa", "-traditional", "2048")


@dataclass
class Dns:
    """TXT records by name, and what was asked for."""

    records: dict[str, bytes]
    asked: list[tuple[str, float]] = field(default_factory=list)

    def __call__(self, name: str, seconds: float) -> bytes | None:
        self.asked.append((name, seconds))
        return self.records.get(name.rstrip("."))


def record(key: bytes) -> bytes:
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(openssl("rsa", "-pubout", "-outform", "DER", given=key))


def dns(key: bytes, domain: str = DOMAIN) -> Dns:
    return Dns({f"s1._domainkey.{domain}": record(key)})


def signed(mail: bytes, key: bytes, domain: str = DOMAIN, **more: object) -> bytes:
    options = {"include_headers": SIGNED, "canonicalize": (b"relaxed", b"relaxed"), **more}
    return dkim.sign(mail, b"s1", domain.encode(), key, **options) + mail


def test_a_signature_of_the_authors_domain_counts(key: bytes) -> None:
    world = dns(key)
    assert Signatures(world).signers(signed(MAIL, key), DOMAIN) == {DOMAIN}
    assert world.asked == [("s1._domainkey.pom.go.id.", 3.0)]


def test_an_ed25519_signature_counts_as_well() -> None:
    """RFC 8463; its keys are short, and the least size of an RSA key is none of theirs."""
    key = SigningKey.generate()
    world = Dns({f"s1._domainkey.{DOMAIN}": b"v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(key.verify_key))})
    mail = signed(MAIL, base64.b64encode(bytes(key)), signature_algorithm=b"ed25519-sha256")
    assert Signatures(world).signers(mail, DOMAIN) == {DOMAIN}
    assert Signatures(world).signers(mail.replace(b"Selamat", b"Selamet"), DOMAIN) == frozenset()


SPOILT: dict[str, Callable[[bytes, bytes], bytes]] = {
    "unsigned": lambda mail, _: mail,
    "another body": lambda mail, key: signed(mail, key).replace(b"Selamat", b"Selamet"),
    "another subject": lambda mail, key: signed(mail, key).replace(b"Re: LKT", b"Re: LKX"),
    "another author": lambda mail, key: signed(mail, key).replace(b"ani@pom", b"budi@pom"),
    "a second subject above": lambda mail, key: b"Subject: SK [x]\r\n" + signed(mail, key),
    "a second author above": lambda mail, key: b"From: budi@pom.go.id\r\n" + signed(mail, key),
    "a token put in": lambda mail, key: (
        f"In-Reply-To: <{KEYS.officer('LKT-2026-000001-1', ANI, NOW)}.0a@gmail.com>\r\n".encode()
        + signed(mail, key, include_headers=[b"From", b"Subject"])
    ),
    "without the subject": lambda mail, key: signed(mail, key, include_headers=[b"From", b"To"]),
    "of a part of the body": lambda mail, key: signed(mail, key, length=True),
    "of an old algorithm": lambda mail, key: signed(mail, key, signature_algorithm=b"rsa-sha1"),
    "of a sub-domain": lambda mail, key: signed(mail, key, "news.pom.go.id"),
    "of a look-alike": lambda mail, key: signed(mail, key, "p0m.go.id"),
    "of the parent": lambda mail, key: signed(mail, key, "go.id"),
    "with a run of spaces": lambda mail, key: signed(mail + b" " * 3000, key),
    "enclosed": lambda mail, key: (
        b"From: x@evil.example\r\nSubject: fwd\r\nContent-Type: message/rfc822\r\n\r\n" + signed(mail, key)
    ),
    "in the body": lambda mail, key: mail + signed(mail, key),
    "broken": lambda mail, _: b"DKIM-Signature: v=1; a=rsa-sha256; d=pom.go.id; s=s1; h=from:subject\r\n" + mail,
    "nonsense": lambda mail, _: b"DKIM-Signature: \xff\0;;;=\r\n" + mail,
}


@pytest.mark.parametrize("name", SPOILT)
def test_anything_else_does_not(key: bytes, name: str) -> None:
    world = dns(key)
    for domain in ("news.pom.go.id", "p0m.go.id", "go.id"):
        world.records |= dns(key, domain).records
    assert Signatures(world).signers(SPOILT[name](MAIL, key), DOMAIN) == frozenset()
    assert not [asked for asked, _ in world.asked if DOMAIN not in asked], "no stranger's domain is asked for"


def test_a_key_that_is_not_there_another_one_or_a_weak_one_proves_nothing(key: bytes) -> None:
    mail = signed(MAIL, key)
    other, weak = openssl("genrsa", "-traditional", "2048"), openssl("genrsa", "-traditional", "512")
    assert Signatures(Dns({})).signers(mail, DOMAIN) == frozenset()
    assert Signatures(dns(other)).signers(mail, DOMAIN) == frozenset()
    assert Signatures(dns(weak)).signers(signed(MAIL, weak), DOMAIN) == frozenset()
    assert Signatures(Dns({f"s1._domainkey.{DOMAIN}": b"v=DKIM1; p="})).signers(mail, DOMAIN) == frozenset()


def test_a_resolver_that_fails_proves_nothing(key: bytes) -> None:
    def broken(name: str, seconds: float) -> bytes | None:
        raise OSError("no network")

    assert Signatures(broken).signers(signed(MAIL, key), DOMAIN) == frozenset()


def test_a_hundred_signatures_are_not_all_tried(key: bytes) -> None:
    bad = SPOILT["another subject"](MAIL, key)
    world = dns(key)
    assert Signatures(world).signers(bad[: bad.index(b"From: ")] * 100 + bad, DOMAIN) == frozenset()
    assert len(world.asked) == 2


def test_the_resolver_of_the_machine_answers_within_its_time() -> None:
    began = time.monotonic()
    assert ask_dns("s1._domainkey.loket.invalid.", 1.0) is None
    assert time.monotonic() - began < 5


class Looking:
    """An inspector that counts."""

    def __init__(self) -> None:
        self.looked = 0

    def look(self, _: bytes) -> Scan:
        self.looked += 1
        return Scan("pdf", 1)


@pytest.mark.parametrize(
    ("author", "proven", "trusting", "looked", "signer"),
    [
        (ANI, True, True, 1, {DOMAIN}),
        (ANI, True, False, 1, set()),
        (ANI, False, True, 0, set()),
        (TONO, True, True, 0, set()),
        (f"{ANI} <{TONO}>", True, True, 0, set()),
    ],
    ids=["signed", "not wanted", "no token", "another author", "a name that looks like hers"],
)
def test_only_mail_with_a_sound_token_is_looked_into(
    key: bytes, author: str, proven: bool, trusting: bool, looked: int, signer: set[str]
) -> None:
    token = KEYS.officer("LKT-2026-000001-1", ANI, NOW) if proven else "x"
    mail = letter("Re: x", "SK\n", author=author, files=[("a.pdf", PDF)] * 2, fields={"In-Reply-To": f"<{token}.0a@x>"})
    mail = parsed(signed(mail.raw.data, key))  # type: ignore[arg-type] # bytes here
    looking = Looking()
    scans: Inspector = looking  # type: ignore[assignment] # looks like one
    asked: list[str] = []
    examiner = Examiner(KEYS, lambda mailbox: asked.append(mailbox) or 1000, scans, Signatures(dns(key)))  # type: ignore[func-returns-value] # counted
    found = examiner(mail, house(trust=Trust(dkim=trusting)), NOW).evidence
    assert (looking.looked, found.signers, len(found.scans)) == (looked, signer, looked)
    assert (asked, found.limit) == (([DESAIN], 1000) if looked else ([], None))


def test_the_shipped_office_asks_no_resolver() -> None:
    assert not any(counter.trust.dkim for counter in office().counters.values())
