"""Whose word on a mail's author counts: our own border's alone, read to the letter."""

from __future__ import annotations

import pytest

from loket.core import parse
from loket.core.authres import Standing, Trust, at_border, judge, read, written_by
from tests.core.desk import read as parsed

MX = "mx.pom.go.id"
OURS = Trust(authserv=(MX,))
DOMAIN = "pom.go.id"
HERE = f"Received: from mail.pom.go.id (mail.pom.go.id [192.0.2.1])\r\n\tby {MX} (Postfix) with ESMTPS id 4F2; x\r\n"
PASS = f"Authentication-Results: {MX}; dmarc=pass header.from={DOMAIN}\r\n"
BODY = "From: ani@pom.go.id\r\nTo: x@gmail.com\r\nSubject: s\r\n\r\nDESAIN\r\n"


def standing(head: str, trust: Trust = OURS, body: str = BODY) -> Standing:
    return judge(parsed((head + body).encode()).headers, DOMAIN, trust)


LONG = f" x.y={200 * 'z'}" * 30

SOUND = [
    f"{MX}; dmarc=pass header.from=pom.go.id",
    f"{MX} 1; dmarc=pass header.from=POM.go.id;",
    f"{MX};\r\n dkim=pass header.d=pom.go.id;\r\n\tspf=fail smtp.mailfrom=x@else.example",
    f'{MX}; dkim=pass reason="good (really); signature" header.i=@pom.go.id header.s=s1 header.b=aB/+c==',
    f"{MX}; dkim=fail header.d=list.example; dkim=pass (2048-bit key; (nested) \\) ok) header.d=pom.go.id",
    f"{MX}; dmarc=none header.from=pom.go.id; dkim = pass header . d = pom.go.id",
    # As Gmail writes it.
    f"{MX};\r\n       dkim=pass header.i=@pom.go.id header.s=sel header.b=AbCd1234;\r\n       spf=pass (google.com: "
    "domain of ani@pom.go.id designates 192.0.2.1 as permitted sender) smtp.mailfrom=ani@pom.go.id;\r\n"
    "       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=pom.go.id",
]


@pytest.mark.parametrize("value", SOUND)
def test_the_borders_pass_counts(value: str) -> None:
    assert standing(f"Authentication-Results: {value}\r\n{HERE}") is Standing.PASS


NOTHING = [
    # Look-alike authserv-ids.
    "mx.pom.go.id.evil.example; dmarc=pass header.from=pom.go.id",
    "evil-mx.pom.go.id; dmarc=pass header.from=pom.go.id",
    "mx.p0m.go.id; dmarc=pass header.from=pom.go.id",
    "mx.pom.go.іd; dmarc=pass header.from=pom.go.id",  # a Cyrillic letter
    "MX.pom.go.id; dmarc=pass header.from=pom.go.id",
    "mx.pom.go.id.; dmarc=pass header.from=pom.go.id",
    "mx.pom\r\n .go.id; dmarc=pass header.from=pom.go.id",
    "(mx.pom.go.id) mx.pom.go.id; dmarc=pass header.from=pom.go.id",
    "mx.pom.go.id (mx.pom.go.id); dmarc=pass header.from=pom.go.id",
    "(mx.pom.go.id; dmarc=pass) evil.example; dmarc=pass header.from=pom.go.id",
    '"mx.pom.go.id"; dmarc=pass header.from=pom.go.id',
    "=?utf-8?q?mx.pom.go.id?=; dmarc=pass header.from=pom.go.id",
    "mx.pom.go.id 2; dmarc=pass header.from=pom.go.id",
    "mx.pom.go.id x; dmarc=pass header.from=pom.go.id",
    "; dmarc=pass header.from=pom.go.id",
    "dmarc=pass header.from=pom.go.id",
    # Results that are none.
    "mx.pom.go.id",
    "mx.pom.go.id; none",
    "mx.pom.go.id; (dmarc=pass header.from=pom.go.id)",
    'mx.pom.go.id; spf=none reason="; dmarc=pass header.from=pom.go.id"',
    "mx.pom.go.id; dmarc=pass",
    "mx.pom.go.id; dmarc=(fail)pass header.from=pom.go.id extra",
    "mx.pom.go.id; dmarc=bestguesspass header.from=pom.go.id",
    "mx.pom.go.id; dmarc=pass header.from=pom.go.id; dmarc=pass header.from=pom.go.id",
    "mx.pom.go.id; dmarc=pass header.from=pom.go.id header.from=pom.go.id",
    "mx.pom.go.id; dmarc=pass header.from=pom.go.id (open",
    "mx.pom.go.id; dmarc==pass header.from=pom.go.id",
    "mx.pom.go.id; =?utf-8?q?dmarc=3Dpass?= header.from=pom.go.id",
    "mx.pom.go.id; spf=pass smtp.mailfrom=ani@pom.go.id",
    # Signatures of other domains: a sub-domain, a parent, a look-alike.
    "mx.pom.go.id; dkim=pass header.d=news.pom.go.id",
    "mx.pom.go.id; dkim=pass header.d=go.id",
    "mx.pom.go.id; dkim=pass header.d=evilpom.go.id header.i=@pom.go.id",
    "mx.pom.go.id; dkim=fail header.d=pom.go.id",
    "mx.pom.go.id; dkim=pass header.s=pom.go.id",
    # Longer than is kept of a field: what it ends with is not known.
    f"mx.pom.go.id; dkim=pass header.d=pom.go.id{LONG}; dmarc=fail header.from=pom.go.id",
    f"mx.pom.go.id; dkim=pass header.d=pom.go.id ({'x' * 4096}); dmarc=fail header.from=pom.go.id",
]


@pytest.mark.parametrize("value", NOTHING)
def test_anything_else_says_nothing(value: str) -> None:
    assert standing(f"Authentication-Results: {value}\r\n{HERE}") is Standing.NONE


@pytest.mark.parametrize(
    "said",
    [
        "dmarc=fail header.from=pom.go.id",
        "dmarc=fail header.from=pom.go.id; dkim=pass header.d=pom.go.id",
        "dmarc=fail header.from=pom.go.id; dmarc=pass header.from=pom.go.id",
        # The border read another author than we do.
        "dmarc=pass header.from=evil.example",
    ],
)
def test_the_borders_fail_is_a_forgery(said: str) -> None:
    assert standing(f"Authentication-Results: {MX}; {said}\r\n{HERE}") is Standing.FAIL


FOREIGN = "Received: from a by relay.evil.example with ESMTP; x\r\n"
OTHER = "Authentication-Results: mx.evil.example; dmarc=fail header.from=pom.go.id\r\n"
STRIPS = Trust(authserv=(MX,), strips=True)
INNER = Trust(authserv=(MX,), hops=("imap.pom.go.id", "2002:a05:*"))
LMTP = "Received: from mx.pom.go.id by imap.pom.go.id with LMTP; x\r\n"

PLACES = [
    ("above the border", PASS + HERE, OURS, Standing.PASS),
    ("above the border, with a foreign hop below", PASS + HERE + FOREIGN, OURS, Standing.PASS),
    ("below the border", HERE + PASS, OURS, Standing.NONE),
    ("below a border that strips", HERE + PASS, STRIPS, Standing.PASS),
    ("below a border that strips, beyond the next hop", HERE + FOREIGN + PASS, STRIPS, Standing.NONE),
    ("below a border that strips, and a forged Received of it", HERE + HERE + PASS, STRIPS, Standing.NONE),
    ("between the border and a forged Received of it", HERE + PASS + HERE, OURS, Standing.NONE),
    ("under a foreign Received", FOREIGN + PASS + HERE, OURS, Standing.NONE),
    ("under a foreign Received, above the border", PASS + FOREIGN + HERE, OURS, Standing.NONE),
    ("without any Received", PASS, OURS, Standing.NONE),
    ("twice", PASS + PASS + HERE, OURS, Standing.NONE),
    ("twice, one below", PASS + HERE + PASS, STRIPS, Standing.NONE),
    ("under somebody else's field", OTHER + PASS + HERE, OURS, Standing.NONE),
    ("over somebody else's field", PASS + OTHER + HERE, OURS, Standing.PASS),
    ("over an inner hop", PASS + LMTP + HERE, INNER, Standing.PASS),
    ("under an inner hop", LMTP + PASS + HERE, INNER, Standing.PASS),
    ("under a hop that is none of ours", LMTP + PASS + HERE, OURS, Standing.NONE),
    ("with nobody to trust", PASS + HERE, Trust(), Standing.NONE),
    ("under a name of the border that is another", PASS + HERE, Trust((MX,), ("mail.pom.go.id",)), Standing.NONE),
    ("in a name below a trusted one", PASS + HERE, Trust(("*.pom.go.id",)), Standing.PASS),
]


@pytest.mark.parametrize(("head", "trust", "wanted"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_only_the_topmost_field_at_our_own_border_counts(head: str, trust: Trust, wanted: Standing) -> None:
    assert standing(head, trust) is wanted


@pytest.mark.parametrize("trust", [OURS, STRIPS])
def test_fields_inside_an_enclosed_mail_do_not_count(trust: Trust) -> None:
    enclosed = (
        f'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{PASS}{HERE}'
    )
    body = BODY.replace("\r\n\r\nDESAIN", f"\r\n{enclosed}{BODY}\r\n--b--")
    mail = parsed((HERE + body).encode())
    assert [part.media_type for part in mail.parts] == ["message/rfc822"]
    assert judge(mail.headers, DOMAIN, trust) is Standing.NONE


@pytest.mark.parametrize("trust", [OURS, STRIPS])
def test_fields_in_the_body_or_the_parts_do_not_count(trust: Trust) -> None:
    assert standing(HERE, trust, body=BODY + PASS) is Standing.NONE
    parts = f'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n{PASS}\r\nDESAIN\r\n--b--\r\n'
    assert standing(HERE, trust, body=BODY.replace("\r\n\r\nDESAIN\r\n", f"\r\n{parts}")) is Standing.NONE


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("from a (a [192.0.2.1]) by mx.pom.go.id (Postfix) with ESMTP id 1; Tue", "mx.pom.go.id"),
        ("from by (by by) by mx.pom.go.id; Tue", "by"),
        ("from evil (by mx.pom.go.id) by relay.evil.example; Tue", "relay.evil.example"),
        ("by 2002:a05:6402:1::1 with SMTP id x; Tue", "2002:a05:6402:1::1"),
        ('from "by mx.pom.go.id" by relay.example; Tue', "relay.example"),
        ("from evil (by mx.pom.go.id", ""),
        ("from evil", ""),
        ("by", ""),
    ],
)
def test_a_received_field_is_by_whoever_wrote_it(value: str, host: str) -> None:
    assert written_by(value) == host


def test_a_comment_without_end_costs_nothing() -> None:
    assert read(f"{MX}; {'(' * 4000}") is None
    assert list(at_border([("received", "(" * 4000)], OURS)) == []


def test_the_author_is_read_from_one_strict_field() -> None:
    """What a trusted pass is compared with is never the name, a comment or the second address."""
    for author in ("ani@pom.go.id <evil@x.example>", "=?utf-8?q?ani=40pom.go.id?= <evil@x.example>"):
        mail = parsed(f"From: {author}\r\n\r\n".encode())
        assert parse.strict_author(mail) in (None, "evil@x.example")
