"""Whom a mail lets a reader take for its author: an officer's address as a name, or letters that look like it (P15)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from loket.core import headers, normal
from loket.core.model import InboundMail

# Letters of other scripts, and figures, that pass for a Latin letter in an address (Unicode TR 39, cut to addresses).
_PASS_FOR = {
    "a": "аαɑ", "b": "ЬƄ", "c": "сϲ", "d": "ԁɗ", "e": "еҽ", "g": "ɡց", "h": "һհ", "i": "іıɩίι", "j": "јϳ", "k": "кκ",
    "l": "1|ӏⅼі", "m": "м", "n": "ոп", "o": "0оοօ", "p": "рρ", "q": "ԛ", "r": "г", "s": "ѕ", "t": "т", "u": "υս",
    "v": "νѵ", "w": "ѡԝ", "x": "хχ", "y": "уγү", "z": "ᴢ",
}  # fmt: skip
_LATIN = str.maketrans({like: latin for latin, likes in _PASS_FOR.items() for like in likes})
_MARKS = re.compile("[\u0300-\u036f]")
# What an address is set off by, in whatever way it stands in a name.
_SHOWN = re.compile(r"[^\s<>()\[\],;:'`]+@[^\s<>()\[\],;:'`]+")


def face(address: str) -> str:
    """An address as it looks: invisible marks, letter case, accents, scripts and punycode out of the way."""
    if "xn--" in address.lower():
        address = ".".join(_unpunycoded(label) for label in address.split("."))
    plain = normal.normal(address).text
    if not plain.isascii():
        plain = _MARKS.sub("", plain)
    return plain.translate(_LATIN).replace("i", "l").replace("rn", "m").rstrip(".")


def _unpunycoded(label: str) -> str:
    before, at, name = label.rpartition("@")
    if not name.lower().startswith("xn--"):
        return label
    try:
        return f"{before}{at}{name[4:].encode().decode('punycode')}"
    except (UnicodeError, ValueError):
        return label


@lru_cache(maxsize=8)
def _faces(addresses: frozenset[str]) -> dict[str, str]:
    return {face(address): address for address in addresses}


def shown(mail: InboundMail, addresses: Iterable[str]) -> str | None:
    """Whichever of the addresses a reader of the From fields may see there, in a name, a comment or look-alikes."""
    faces = _faces(frozenset(addresses))
    for value in mail.all("from"):
        text = headers.decode_words(value.encode("utf-8", "surrogateescape"))
        for one in _SHOWN.findall(f"{value} {text}".replace('"', "")):
            found = faces.get(face(one))
            if found:
                return found
    return None
