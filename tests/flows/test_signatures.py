"""Where no border speaks and the configuration says so, the mail's own signature does: through the real servers."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from hashlib import sha256

import dkim
import pytest

from loket.demo.officer import Answer, answer
from tests.flows.letters import DESIGN, SITI, mail, scan
from tests.flows.office import FlowOffice
from tests.flows.test_conversations import PDF, digest_of, only

APPLICANT, ANI = "siti@jamusari.example", "ani@pom.go.id"
SCAN = scan("SK NIE")


def openssl(*args: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *args], input=given, capture_output=True, check=True).stdout


@pytest.fixture
def signing(office: FlowOffice) -> tuple[FlowOffice, bytes]:
    """An office that verifies signatures itself, a request, and the key of the officers' domain."""
    key = openssl("genrsa", "-traditional", "2048")
    public = base64.b64encode(openssl("rsa", "-pubout", "-outform", "DER", given=key))
    made = replace(office, lookup=lambda name, _: public_key(name, public))
    made.set_up(("    rules: [loket-d]", "    trust: {dkim: yes}\n    rules: [loket-d]"))
    made.empty([APPLICANT])
    made.submit(mail(SITI, DESIGN, "Ambil SK_OT_Jamu Kunyit", enclosed=PDF))
    made.work()
    return made, key


def public_key(name: str, public: bytes) -> bytes | None:
    return b"v=DKIM1; k=rsa; p=" + public if name == "s1._domainkey.pom.go.id." else None


def said(office: FlowOffice) -> bytes:
    digest = digest_of(office, ANI, 1)
    [raw] = answer(digest.raw, only("SK", Answer("", (SCAN,))), now=office.clock.now())
    return raw


def signed(raw: bytes, key: bytes, domain: bytes = b"pom.go.id") -> bytes:
    return dkim.sign(raw, b"s1", domain, key, include_headers=[b"from", b"to", b"subject"]) + raw


def test_a_signed_answer_leaves_at_once(signing: tuple[FlowOffice, bytes]) -> None:
    office, key = signing
    office.submit(signed(said(office), key))
    office.work()
    _, letter = office.mails(APPLICANT, 2)
    assert sha256(letter.attachments()[0][2]).digest() == sha256(SCAN.content).digest()


@pytest.mark.parametrize("spoil", ["unsigned", "stranger", "changed", "other key"])
def test_any_other_waits_for_a_code(signing: tuple[FlowOffice, bytes], spoil: str) -> None:
    office, key = signing
    raw = said(office)
    spoilt = {
        "unsigned": lambda: raw,
        "stranger": lambda: signed(raw, key, b"luar.example"),
        "changed": lambda: signed(raw, key).replace(b"Subject: SK", b"Subject: sk"),
        "other key": lambda: signed(raw, openssl("genrsa", "-traditional", "2048")),
    }
    office.submit(spoilt[spoil]())
    office.work()
    office.mails(APPLICANT, 1)
    office.confirm(ANI)
    office.mails(APPLICANT, 2)
