"""What an officer says: proof of who speaks, the command in the first line, and the words for the applicant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loket.core import guise, normal, parse, token
from loket.core.lifted import lifted
from loket.core.model import InboundMail
from loket.core.office import Office, Officer
from loket.core.token import Keys


class Doubt(StrEnum):
    """Why a mail in an officer's name is not acted upon (promise P15)."""

    NO_TOKEN = "no-token"  # noqa: S105 - a reason, not a secret
    STALE_TOKEN = "stale-token"  # noqa: S105 - the same
    WRONG_AUTHOR = "wrong-author"
    DISGUISED = "disguised"
    LIFTED = "lifted"
    DOUBTFUL_FROM = "doubtful-from"
    INACTIVE = "inactive"
    FORGED = "forged"
    NO_CODE = "no-code"
    WRONG_CODE = "wrong-code"
    STALE_CODE = "stale-code"


@dataclass(frozen=True, slots=True)
class Proven:
    """An active officer, certainly the author, with a sound token for this ticket."""

    officer: Officer
    number: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A mail in an officer's name that proves nothing; `officer` is whom to tell, where that can be known."""

    officer: Officer | None
    reason: Doubt


def _places(mail: InboundMail) -> str:
    return "\n".join((mail.subject, *mail.in_reply_to, *mail.references))


def names_officer(mail: InboundMail, office: Office) -> bool:
    """Whether an officer's address stands among the authors, proven or not: only then is more to be found out."""
    return any(author.spec in office.officers for author in mail.authors)


def speaker(mail: InboundMail, office: Office, keys: Keys, now: datetime) -> Proven | Doubtful | None:
    """Is an officer speaking? None for a mail that does not even claim it.

    It claims it when any of its authors is an officer's address or looks like one, or when an officer's token is in it:
    where answers carry it, or further down, where a digest was forwarded.
    """
    named = [office.officers[author.spec] for author in mail.authors if author.spec in office.officers]
    places = _places(mail)
    if not named:
        seen = guise.shown(mail, office.officers)
        if not token.holds_officer_token(places):
            forwarded = lifted(mail, office, keys)
            if forwarded is not None:
                return Doubtful(forwarded, Doubt.LIFTED)
            return Doubtful(office.officers[seen], Doubt.DISGUISED) if seen else None
        # A token that has expired still tells whose it was.
        owner = next((who for who in office.officers.values() if keys.made_for(places, who.address)), None)
        return Doubtful(owner or (office.officers[seen] if seen else None), Doubt.WRONG_AUTHOR)
    officer = named[0]
    if parse.strict_author(mail) != officer.address or len(named) > 1:
        return Doubtful(officer, Doubt.DOUBTFUL_FROM)
    if not officer.active:
        return Doubtful(officer, Doubt.INACTIVE)
    number = keys.read_officer(places, officer.address, now)
    if number is None:
        return Doubtful(officer, Doubt.STALE_TOKEN if token.holds_officer_token(places) else Doubt.NO_TOKEN)
    return Proven(officer, number)


@dataclass(frozen=True, slots=True)
class Speech:
    """A command in capitals ("" when there is none), what follows it on its line, and the lines below."""

    command: str
    argument: str
    words: str


# The line above a quotation, as clients wrap it. It names a moment or an address; a sentence of the letter does not.
# It may also begin with the name and its address, or with the moment.
_ATTRIBUTION = re.compile(
    r"^[ \t]*(?:(?:on|pada|le|am|el|il|op|den|em)\b[^\n]{0,300}(?:\n(?![ \t]*>)[^\n]{0,300}){0,2}"
    r"\b(?:wrote|menulis|schrieb|écrit|escribió|scritto|schreef|skrev|escreveu)\b[^\n:]{0,120}"
    r"|[^\n<>]{0,200}<[^\s<>@]{1,64}@[^\s<>]{1,255}>[^\n:]{0,40}\b(?:wrote|menulis)\b(?:[^\n:]|:(?=\d)){0,80}"
    r"|(?:[a-z]{3,9},?[ ])?\d[^\n<>]{0,40}\d[.:]\d\d[^\n<>]{0,120}\b(?:wrote|menulis)[ \t]*"
    r"):(?=[ \t]*$|[ \t]{2})",
    re.IGNORECASE | re.MULTILINE,
)
_MOMENT_OR_ADDRESS = re.compile(r"\d|@")
# Above a quotation without marks it must be certain: `Pada tanggal 3 Januari pemohon menulis:` is the officer's own.
_HOUR_OR_ADDRESS = re.compile(r"\d[.:]\d\d|@")
# Where clients that do not mark quoted lines begin the quotation: everything below is somebody else's.
_CUT = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*(?:original message|forwarded message|(?:pesan|email) (?:asli|terusan|yang diteruskan)"
    r"|balas(?:an)? pesan)[^\n]*"
    r"|(?:mulai pesan terusan|begin forwarded message):[ \t]*$"
    r"|_{10,}[ \t]*$"
    r"|\*?(?:from|dari)\*?[ \t]*:[^\n]*\n(?:[^\n]+\n){0,3}?\*?(?:sent|date|dikirim|tanggal|to|kepada)\*?[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
_PHONE = re.compile(
    r"[ \t]*(?:(?:sent|dikirim|terkirim)\b.{0,40}\b(?:iphone|ipad|android|samsung|galaxy|xiaomi|redmi|poco|oppo|vivo"
    r"|realme|huawei|asus|infinix|nokia|blackberry|yahoo|outlook|gmail|ponsel|smartphone|tablet|mobile|phone|windows|ios|spark|bluemail|proton)\b"
    r"|(?:get|dapatkan|unduh) (?:outlook|bluemail)\b).{0,80}",
    re.IGNORECASE,
)


def own_words(text: str, *, above: bool = False) -> str:
    """What the author wrote, without quotation, attribution, signature and a phone's advertisement.

    `above`: nothing below a quotation that its client does not mark, even where nothing stands above it. There the
    words of a digest, which strangers have a hand in, cannot be told from the author's.

    A line with an officer's token is Loket's own, quoted without a mark: neither it nor what lies below may reach
    an applicant, who could speak as the officer with it.
    """
    lines: list[str] = []
    signed = False
    unquoted = _without_attribution(_marked(text), above=above)
    cut = _CUT.search(unquoted)
    if cut and (above or unquoted[: cut.start()].strip()):
        unquoted = unquoted[: cut.start()]
    for line in unquoted.split("\n"):
        if not line:
            if not signed:
                lines.append("")
            continue
        if line.lstrip().startswith(">"):
            signed = False
            continue
        if token.holds_officer_token(line):
            break
        signed = signed or line.rstrip("\r") in ("-- ", "--")
        if not signed and not _PHONE.fullmatch(line.strip()):
            lines.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# Where s-nail and mailx name whom they quote: no date, the address, and the quotation behind tabs.
_NAMED = re.compile(r"[^\n]{0,300}@[^\n]{0,300}\b(?:wrote|menulis)[ \t]*:[ \t]*")


def _marked(text: str) -> str:
    """A quotation that is set off by tabs, marked as others mark it."""
    if "\t" not in text:
        return text
    lines: list[str] = []
    # The line that names whom, as long as nothing but its quotation has come since.
    named: int | None = None
    for line in text.split("\n"):
        if line.startswith("\t") and named is not None:
            lines[named] = "> " + lines[named].removeprefix("> ")
            lines.append("> " + line[1:])
            continue
        if _NAMED.fullmatch(line):
            named = len(lines)
        elif line.strip():
            named = None
        lines.append(line)
    return "\n".join(lines)


def _without_attribution(text: str, *, above: bool) -> str:
    """The lines that name whom is quoted taken out; what follows one without quotation marks is all quotation."""
    kept: list[str] = []
    at = 0
    said = False
    for line in _ATTRIBUTION.finditer(text):
        if not _MOMENT_OR_ADDRESS.search(line[0]):
            continue
        marked = text[line.end() : line.end() + 1000].lstrip().startswith(">")
        if not marked and not _HOUR_OR_ADDRESS.search(line[0]):
            continue
        kept.append(text[at : line.start()])
        at = line.end()
        said = said or bool(kept[-1].strip())
        if (said or above) and not marked:
            return "".join(kept)
    return "".join([*kept, text[at:]])


# Marks and closing brackets belong to the command; an opening bracket or quote behind it to what follows.
_FIRST = re.compile(r"[\W_]*([^\W\d_](?:[\w-]*[^\W_])?)[*_)\]}>\"'”’]*[\s*_.:;,!–—-]*(.*)", re.DOTALL)


def listen(mail: InboundMail) -> Speech:
    """The command in the first line of the author's own words; in a mail without any words, that of its subject."""
    words = own_words(parse.body_text(mail))
    first, _, below = words.partition("\n")
    if not words:
        first = token.REFERENCE.sub("", mail.subject).replace("[", " ").replace("]", " ")
    return _speech(first, below, words)


def speech_of(words: str) -> Speech:
    """The command in the first line of an author's own words."""
    first, _, below = words.partition("\n")
    return _speech(first, below, words)


def _speech(first: str, below: str, words: str) -> Speech:
    match = _FIRST.fullmatch(normal.visible(first))
    if not match:
        return Speech("", "", words)
    return Speech(match[1].upper(), match[2].strip(), below.strip())
