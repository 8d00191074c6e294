"""The form of `CATAT`: who came by another channel than mail, read as people fill it in on a phone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

from loket.core.headers import clean_text, mailboxes

# How a channel is written, beside its own name.
CHANNELS: Mapping[str, tuple[str, ...]] = {
    "WhatsApp": ("wa", "wasap", "whatsap", "whats app"),
    "Telepon": ("telp", "tlp", "tilpun", "telpon", "telefon", "phone", "telephone", "call", "hp"),
    "Live chat": ("chat", "livechat", "chat asrot", "asrot"),
    "Tatap muka": ("langsung", "datang", "loket", "walk-in", "walk in", "in person", "visit"),
    "Pos": ("surat", "kurir", "post", "mail", "letter", "courier"),
    "Zoom": ("rapat daring", "video"),
    "SMS": ("pesan singkat",),
}
CHANNEL, NAME, CONTACT, EMAIL, QUEUE, ABOUT = "Saluran", "Nama", "Kontak", "Email", "Antrean", "Perihal"
# The lines of the form, in their order, and how else each is written.
LINES: Mapping[str, tuple[str, ...]] = {
    CHANNEL: ("channel", "kanal", "via", "melalui"),
    NAME: ("name", "nama pemohon", "pemohon", "applicant"),
    CONTACT: ("contact", "nomor", "no", "no hp", "hp", "telepon", "telp", "phone", "wa", "whatsapp", "nomor telepon"),
    EMAIL: ("e-mail", "surel", "alamat email", "mail", "email address"),
    QUEUE: ("antrian", "queue", "loket", "counter", "bagian"),
    ABOUT: ("subject", "hal", "about", "topik", "topic", "subjek"),
}
_LINE = re.compile(r"\s*[-*•]?\s*([^\W\d_][\w .'/-]{0,30}?)\s*[:=]\s*(.*)")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_DIGITS = re.compile(r"[+\d][\d ().-]{5,24}\d")
MOST = 100
_HONORIFIC = re.compile(r"^(?:(?:ibu|bu|bapak|bpk|pak|sdr|sdri|mr|mrs|ms)\b\.?\s*)+", re.IGNORECASE)
_TELEPHONE = ("WhatsApp", "Telepon", "SMS")


@dataclass(frozen=True, slots=True)
class Form:
    """What the lines say, cleaned; `fields` are lines named after a field of the office, `words` all other text."""

    said: Mapping[str, str]
    fields: Mapping[str, str] = field(default_factory=dict)
    words: str = ""

    def get(self, line: str) -> str:
        """What stands there; empty where nothing does."""
        return self.said.get(line, "")


def read(text: str, labels: Mapping[str, str]) -> Form:
    """The form in an officer's words; `labels` names the office's fields by what people call them.

    Lines may come in any order and be left out; what is no line of the form belongs to the words.
    """
    said: dict[str, str] = {}
    fields: dict[str, str] = {}
    words: list[str] = []
    by_label = {_flat(label): name for name, label in labels.items()}
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        name = _line_named(match[1]) if match else None
        own = by_label.get(_flat(match[1])) if match else None
        value = clean_text(match[2], MOST) if match else ""
        if match and name is not None and name not in said:
            said[name] = value
        elif match and own is not None:
            fields[own] = value
        else:
            words.append(clean_text(line, 2000))
    return Form(said, {name: value for name, value in fields.items() if value}, "\n".join(words).strip())


def channel(written: str) -> str | None:
    """The channel's name; None where it is none that the office knows."""
    flat = _flat(written)
    for name, others in CHANNELS.items():
        if flat == _flat(name) or flat in others:
            return name
    near = [name for name in CHANNELS if len(flat) > 3 and OSA.distance(flat, _flat(name)) <= 2]
    return near[0] if len(near) == 1 else None


def address(written: str) -> str | None:
    """The one plain address of what was written, in small letters; None where it is none, or more than one."""
    found = [spec for _, spec in mailboxes(written) if spec]
    if len(found) != 1 or not _ADDRESS.fullmatch(found[0]):
        return None
    return found[0].lower()


def in_text(channel: str) -> str:
    """The channel in the middle of a sentence; names of makes keep their capitals."""
    return channel if channel in ("WhatsApp", "Zoom", "SMS") else channel.lower()


def name(written: str) -> str:
    """The name without how people address it: the letters' own `Bapak/Ibu` stands before it."""
    return _HONORIFIC.sub("", written) or written


def reaches(channel: str, written: str) -> bool:
    """Whether a person can be reached by this; over the telephone that takes a number."""
    return bool(_DIGITS.search(written) if channel in _TELEPHONE else written)


def _line_named(written: str) -> str | None:
    flat = _flat(written)
    for name, others in LINES.items():
        if flat == _flat(name) or flat in others:
            return name
    near = [name for name in LINES if len(flat) > 3 and OSA.distance(flat, _flat(name)) <= 1]
    return near[0] if len(near) == 1 else None


def _flat(written: str) -> str:
    return " ".join(re.sub(r"[^\w/-]+", " ", written.casefold()).split())
