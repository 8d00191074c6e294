"""Header fields as a good mail client reads them: unfolding, encoded words (RFC 2047), addresses (RFC 5322 3.4)."""

from __future__ import annotations

import binascii
import codecs
import quopri
import re
import unicodedata
from dataclasses import dataclass
from email import utils
from functools import lru_cache

from loket.core.model import Address

# A header block larger than this is read only so far; what follows is a defect, not a reason to fail.
MAX_ADDRESS_FIELD = 64 * 1024
# Local part and domain (RFC 5321 4.5.3.1), counted in characters: what is longer is nobody's address.
MAX_ADDRESS = 64 + 1 + 255
MAX_TEXT_FIELD = 16 * 1024
# Some five hundred addresses; beyond that the standard parser's lists and groups take quadratic time.
MAX_ADDRESS_MARKS = 4000

# Lenient on purpose: Q words with raw spaces inside and words that touch each other are daily life.
_WORD = re.compile(rb"=\?([A-Za-z0-9_.:+-]*)(?:\*[A-Za-z0-9-]*)?\?([BbQq])\?([^?\r\n]*(?:\?(?!=)[^?\r\n]*)*)\?=")
_FOLD = re.compile(rb"\r?\n[ \t]*|\r")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

# What senders write, and what they mean (WHATWG Encoding labels): a superset never loses a character.
_MEANT = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "shift_jis": "cp932",
    "iso-8859-9": "cp1254",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
    "big5": "big5hkscs",
}
_STATEFUL = ("utf-7", "utf-16", "utf-32", "iso2022", "hz")
# Python's own notations: no mail is written in them, and they are slow, or warn, on bytes that are not theirs.
_NO_CHARSETS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})
_SINGLE_BYTE = ("cp125", "cp874", "iso8859", "koi8", "mac", "ascii")


def decode_charset(data: bytes, charset: str) -> str:
    """`data` as text; a wrong or unknown label never fails.

    Bytes that are valid UTF-8 beyond ASCII are taken as UTF-8 under a single-byte label, because no
    real text in such a charset looks like that; what fits no charset is shown as Windows-1252.
    """
    codec = _codec(charset)
    if data.isascii() and not codec.startswith(_STATEFUL):
        return data.decode("ascii")
    single = not codec or codec.startswith(_SINGLE_BYTE)
    tries = ["utf-8", codec or "cp1252", "latin-1"] if single else [codec]
    for candidate in tries:
        try:
            return _whole(data.decode(candidate), candidate)
        except ValueError:
            continue
    repaired = _whole(data.decode(codec, errors="replace"), codec)
    # A label of UTF-8 on text without one sound character of it is a wrong label, not damage.
    wrong = codec == "utf-8" and not re.search(r"[^\x00-\x7f\ufffd]", repaired)
    return data.decode("cp1252", errors="replace") if wrong else repaired


def _whole(text: str, codec: str) -> str:
    """UTF-7 can spell half of a surrogate pair, which nothing could write out again."""
    return text.encode("utf-8", "replace").decode() if codec == "utf-7" else text


@lru_cache(maxsize=1024)
def _codec(charset: str) -> str:
    """Python's name of the text codec meant by a label; empty for one that nobody knows."""
    label = charset.strip().strip("\"'").lower()
    try:
        codec = codecs.lookup(_MEANT.get(label, label)).name
        b"x".decode(codec, errors="replace")  # refuses hex, zip and their like, which are no charsets; not on b""
    except (LookupError, ValueError):
        return ""
    return "" if codec in _NO_CHARSETS else codec


def _unfolded(value: bytes) -> bytes:
    """On one line (RFC 5322 2.2.3); most fields are."""
    return _FOLD.sub(b" ", value) if b"\n" in value or b"\r" in value else value


def _word_bytes(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"Qq":
        return quopri.decodestring(text.replace(b" ", b"_"), header=True)
    return lenient_base64(text)


def lenient_base64(text: bytes) -> bytes:
    """What can be read of base64 with wrong padding or stray characters in it."""
    packed = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    whole = packed[: len(packed) - (len(packed) % 4 == 1)]
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def decode_words(value: bytes) -> str:
    """A header value as text: unfolded, encoded words decoded, never with a line break, NUL or control in it.

    Adjacent words of one charset are joined as bytes before decoding, since many senders split a
    character across two of them (RFC 2047 section 5 forbids it; everyone reads it).
    """
    flat = _unfolded(value[:MAX_TEXT_FIELD].strip(b" \t\r\n"))
    if b"=?" not in flat:
        return _clean(decode_charset(flat, "utf-8"))
    out: list[str] = []
    pending, charset = b"", ""
    at = 0
    for word in _WORD.finditer(flat):
        between = flat[at : word.start()]
        label = word[1].decode("ascii").lower()
        adjacent = at > 0 and not between.strip()
        if not (adjacent and label == charset):
            out.append(decode_charset(pending, charset) if pending else "")
            pending, charset = b"", label
            if not adjacent:
                out.append(decode_charset(between, "utf-8"))
        pending += _word_bytes(word[2], word[3])
        at = word.end()
    out.append(decode_charset(pending, charset) if pending else "")
    out.append(decode_charset(flat[at:], "utf-8"))
    return _clean("".join(out))


def _clean(text: str) -> str:
    """Control characters become one space, NULs nothing: a decoded word may hold CR LF `Bcc:` (promise P13)."""
    return _CONTROL.sub(" ", text.replace("\0", "")).strip()


def clean_text(text: str, limit: int = 200) -> str:
    """Sender's words fit to be repeated: one line, no controls or direction marks, at most `limit` characters."""
    if not (text.isascii() and text.isprintable()):
        spaced = (" " if c.isspace() else c for c in text)
        text = "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Block:
    """Fields as (lower-case name, raw value with folds), what was wrong, and the octets up to which it is a header."""

    fields: list[tuple[str, bytes]]
    defects: list[str]
    length: int


_NAME = re.compile(rb"[\x21-\x7e]+[ \t]*")


def _name(name: bytes) -> str | None:
    """A field's name in small letters; None for what is none."""
    return name.strip().decode("ascii").lower() if _NAME.fullmatch(name) else None


# Every mail has the same few; a long one is not worth keeping.
_short_name = lru_cache(maxsize=1024)(_name)


def split_header(block: bytes) -> Block:
    """Read a header block. Lines that are no field are a defect; behind the last field they begin the body.

    Some writers leave out the empty line, and what the sender said must not vanish with it; a stray line between
    fields is passed over, since the fields below it are still the header.
    """
    fields: list[tuple[str, bytes]] = []
    defects: list[str] = []
    stray: int | None = None
    at = 0
    for line in block.split(b"\n"):
        start, at = at, at + len(line) + 1
        if line[:1] in (b" ", b"\t"):
            if fields and stray is None and len(fields[-1][1]) < MAX_ADDRESS_FIELD:
                fields[-1] = (fields[-1][0], fields[-1][1] + b"\n" + line)
            continue
        name, colon, value = line.partition(b":")
        known = (_short_name(name) if len(name) <= 80 else _name(name)) if colon else None
        if known is not None:
            fields.append((known, value.rstrip(b"\r")))
            stray = None
        elif line.strip() and not (not fields and line.startswith((b"From ", b">From "))):
            defects.append("header line that is no field")
            stray = start if stray is None else stray
    return Block(fields, defects, len(block) if stray is None else stray)


def flat(value: bytes) -> str:
    """A structured field's value, unfolded, as text without decoding of encoded words."""
    if value.isascii():
        text = value.decode("ascii")
        if text.isprintable():
            return text.strip()
    return _CONTROL.sub(" ", decode_charset(_unfolded(value), "utf-8")).strip()


# No two neighbours here can take the same character: a field of 64 KB would keep a backtracking match for minutes.
_SIMPLE = re.compile(
    r'(?:"(?P<quoted>[^"<>(),:;\\@\[\]]*)"\s*|(?P<name>[^"<>(),:;\\@\[\]]*))<(?P<spec>[^<>\s,;:()"@]+@[^<>\s,;:()"@]+)>'
)
_MARK = re.compile(r"[^\w\s]")
_BARE = re.compile(r"[^<>\s,;:()\"@]+@[^<>\s,;:()\"@]+")
# What is left of a list may still be half a sentence: one address, its local part quoted or not, its domain perhaps a
# literal, and nothing else.
_ONE = re.compile(r"""(?:[^<>\s,;:()\[\]"@\\]+|"(?:[^"\\]|\\.)*")@(?:[^<>\s,;:()\[\]"@\\]+|\[[^<>\s,()\[\]"@\\]*\])""")


# Newer Pythons, and older ones with Debian's security fixes, take the whole field for nothing where one address in it
# is odd (CVE-2023-27043). Here nobody is let in by what is read: who may be meant is to be known.
_LENIENT = {"strict": False} if getattr(utils, "supports_strict_parsing", False) else {}


def mailboxes(text: str) -> list[tuple[str, str]]:
    """Names and addresses of a list (RFC 5322 3.4), the same on every Python; what is no address may be among them."""
    return utils.getaddresses([text], **_LENIENT)


def addresses(value: bytes) -> tuple[tuple[Address, ...], bool]:
    """The addresses of a From, To or Cc field, and whether the field was sound.

    The standard parser recurses on nested comments and is quadratic on long lists, so the field is
    bounded and its failures become a defect.
    """
    sound = len(value) <= MAX_ADDRESS_FIELD
    text = _unfolded(value[:MAX_ADDRESS_FIELD]).strip()
    plain = decode_charset(text, "utf-8")
    simple = _SIMPLE.fullmatch(plain)
    if simple and len(simple["spec"]) <= MAX_ADDRESS:
        return (_address(simple["quoted"] or simple["name"] or "", simple["spec"]),), sound
    if _BARE.fullmatch(plain) and len(plain) <= MAX_ADDRESS:
        return (_address("", plain),), sound
    if plain.count("(") > 20 or len(_MARK.findall(plain)) > MAX_ADDRESS_MARKS:
        return (), False
    try:
        pairs = mailboxes(plain)
    except (RecursionError, IndexError, ValueError):
        return (), False
    found = tuple(_address(name, spec) for name, spec in pairs if _ONE.fullmatch(spec) and len(spec) <= MAX_ADDRESS)
    return found, sound and len(found) == len([pair for pair in pairs if any(pair)])


def _address(name: str, spec: str) -> Address:
    shown = decode_words(name.encode("utf-8", "surrogateescape")) if "=?" in name else _clean(name)
    return Address(shown.strip().strip('"').strip(), _CONTROL.sub("", spec).strip().lower())


_STRICT_SPEC = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_STRICT_FROM = re.compile(
    r"""(?:[A-Za-z0-9!\#$%&'*+/=?^_`{|}~.\-\s\x80-\U0010ffff]*|"(?:[^"\\\r\n]|\\.)*"\s*)<(?P<a>[^<>\s]+)>"""
    r"""|(?P<b>[^<>\s"(),;:]+)""",
    re.VERBOSE,
)


def strict_address(value: bytes) -> str | None:
    """The one addr-spec of a From field that leaves no room for doubt, lower case; None for anything else.

    Only `addr`, `name <addr>` and `"name" <addr>` pass: no comments, groups, routes, second addresses, and no
    address hidden in an encoded word. A display name may not hold an at sign, whichever way it is encoded.
    """
    text = decode_charset(_unfolded(value), "utf-8").strip()
    match = _STRICT_FROM.fullmatch(text)
    if not match or _CONTROL.search(text):
        return None
    spec = match["a"] or match["b"]
    display = decode_words(text[: text.rfind("<")].encode()) if match["a"] else ""
    if "@" in display or not _STRICT_SPEC.fullmatch(spec) or ".." in spec:
        return None
    return spec.lower()


_MSGID = re.compile(r"<([!-;=?-~]{1,500})>")


def message_ids(value: str, limit: int = 100) -> tuple[str, ...]:
    """The msg-ids of a References or In-Reply-To field without their brackets: the first and the most recent."""
    found = _MSGID.findall(value[:MAX_ADDRESS_FIELD])
    return tuple(found if len(found) <= limit else [found[0], *found[-limit + 1 :]])


def unique(items: tuple[str, ...]) -> tuple[str, ...]:
    """The same items once each, in order."""
    return tuple(dict.fromkeys(items))
