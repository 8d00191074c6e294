"""What an officer may order: one variant a command, and the words that stand for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from loket.core.command import Speech
from loket.core.office import Office
from loket.core.rules import Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome of the ticket's queue, by its command."""

    name: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Move:
    """`ALIH`: to another queue, or to an officer."""

    target: str


@dataclass(frozen=True, slots=True)
class Claim:
    """`AMBIL`: the ticket is mine for now."""


@dataclass(frozen=True, slots=True)
class Release:
    """`LEPAS`: it is everybody's again."""


@dataclass(frozen=True, slots=True)
class Ask:
    """`TANYA`: a question to the applicant; the due time stands still meanwhile."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """`TUNDA`: out of the digests until a day."""

    until: str


@dataclass(frozen=True, slots=True)
class Note:
    """`CATATAN`: words for the officers alone."""


@dataclass(frozen=True, slots=True)
class Register:
    """`CATAT`: somebody came by another channel than mail."""


@dataclass(frozen=True, slots=True)
class Status:
    """`STATUS`: where the ticket stands, or without one, what waits."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """`BATAL`: call back what has not left yet."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """`JADWAL`: the applicant's appointment, its place, or without anything behind it the free times to choose from."""

    text: str


@dataclass(frozen=True, slots=True)
class Unschedule:
    """`BATAL JADWAL`: no appointment any more."""


@dataclass(frozen=True, slots=True)
class GiveTurn:
    """`GILIRAN`: a place at the end of the line of those who are called in turn."""


@dataclass(frozen=True, slots=True)
class SendAnyway:
    """`KIRIM`: send the answer of mine that was kept back."""


@dataclass(frozen=True, slots=True)
class Away:
    """`CUTI`: I am away until a day, or back."""

    until: str


@dataclass(frozen=True, slots=True)
class Help:
    """`BANTUAN`: which commands there are."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """None of them; `nearest` is the one that may have been meant."""

    said: str
    nearest: str


Order = (
    Answer
    | Move
    | Claim
    | Release
    | Ask
    | Snooze
    | Note
    | Schedule
    | Register
    | Status
    | Cancel
    | Unschedule
    | GiveTurn
    | SendAnyway
    | Away
    | Help
    | Unknown
)

MOVE, CLAIM, RELEASE, ASK, SNOOZE, NOTE = "ALIH", "AMBIL", "LEPAS", "TANYA", "TUNDA", "CATATAN"
STATUS, CANCEL, SEND, AWAY, HELP = "STATUS", "BATAL", "KIRIM", "CUTI", "BANTUAN"
SCHEDULE, REGISTER, TURN = "JADWAL", "CATAT", "GILIRAN"
# Every word for a command of Loket's own, and the command it stands for.
WORDS: Mapping[str, str] = {
    **{word: word for word in (MOVE, CLAIM, RELEASE, ASK, SNOOZE, NOTE, STATUS, CANCEL, SEND, AWAY, HELP)},
    **{"MOVE": MOVE, "CLAIM": CLAIM, "TAKE": CLAIM, "RELEASE": RELEASE, "ASK": ASK, "SNOOZE": SNOOZE},
    **{SCHEDULE: SCHEDULE, "SCHEDULE": SCHEDULE, REGISTER: REGISTER, "REGISTER": REGISTER, "LOG": REGISTER},
    **{TURN: TURN, "TURN": TURN},
    **{"NOTE": NOTE, "CANCEL": CANCEL, "UNDO": CANCEL, "SEND": SEND, "AWAY": AWAY, "HELP": HELP},
}
# What each does, for the lists in letters; the order is that of the lists.
MEANING: Mapping[str, Mapping[str, str]] = {
    "id": {
        MOVE: "alihkan ke antrean lain atau ke petugas",
        CLAIM: "ambil tiket ini untuk Anda kerjakan",
        RELEASE: "lepaskan tiket yang Anda ambil",
        ASK: "ajukan pertanyaan kepada pemohon",
        SNOOZE: "tunda sampai tanggal tertentu",
        NOTE: "catatan untuk sesama petugas",
        SCHEDULE: "jadwal konsultasi: hari dan jam, tautan, atau pilihan waktu bagi pemohon",
        TURN: "beri pemohon urutan terakhir dalam giliran konsultasi",
        REGISTER: "catat kontak yang datang lewat telepon, WhatsApp, pos, atau langsung",
        STATUS: "keadaan tiket, atau semua yang menunggu",
        CANCEL: "batalkan jawaban yang belum terkirim",
        SEND: "kirim jawaban Anda yang ditahan",
        AWAY: "catat bahwa Anda tidak bertugas sampai tanggal tertentu",
        HELP: "daftar perintah ini",
    },
    "en": {
        MOVE: "move to another queue or to an officer",
        CLAIM: "take this ticket to work on it",
        RELEASE: "give back the ticket you took",
        ASK: "ask the applicant something",
        SNOOZE: "put off until a day",
        NOTE: "a note for the officers",
        SCHEDULE: "the appointment: day and time, a link, or times to choose from",
        TURN: "give a place at the end of the line",
        REGISTER: "register whoever came by phone, WhatsApp, post or in person",
        STATUS: "where the ticket stands, or what waits",
        CANCEL: "call back an answer that has not left",
        SEND: "send your answer that was kept back",
        AWAY: "you are away until a day",
        HELP: "this list",
    },
}
# What makes sense without a ticket.
TICKETLESS = (REGISTER, STATUS, AWAY, HELP)


def meaning(word: str, language: str) -> str:
    """What a command of Loket's own does, in a few words."""
    return MEANING.get(language, MEANING["en"])[word]


def read(speech: Speech, office: Office, queue: str | None) -> Order:
    """The order in an officer's words, about a ticket of that queue or about none."""
    word = speech.command
    found = office.outcome(queue, word) if queue is not None else None
    if found is not None:
        return Answer(*found)
    own = WORDS.get(word, "")
    if own == CANCEL and speech.argument.split(" ")[0].strip(" .,;:!").upper() in _APPOINTMENT:
        return Unschedule()
    if own in ON_LINE:
        return ON_LINE[own](speech.argument)
    if own in PLAIN:
        return PLAIN[own]()
    if own in WITH_TEXT:
        # What stands on the command's line, or where nothing does, on the first below it.
        return WITH_TEXT[own](speech.argument or speech.words.partition("\n")[0])
    return Unknown(word, nearest(word, known_words(office, queue)))


# What stands behind BATAL where the appointment is meant.
_APPOINTMENT = (SCHEDULE, "SCHEDULE", "APPOINTMENT")
# The variant of each of Loket's own commands: alone, or with what follows it.
PLAIN: Mapping[str, Callable[[], Order]] = {
    CLAIM: Claim,
    RELEASE: Release,
    ASK: Ask,
    NOTE: Note,
    REGISTER: Register,
    TURN: GiveTurn,
    STATUS: Status,
    CANCEL: Cancel,
    SEND: SendAnyway,
    HELP: Help,
}
WITH_TEXT: Mapping[str, Callable[[str], Order]] = {MOVE: Move, SNOOZE: Snooze, AWAY: Away}
# What is below its line is for the applicant.
ON_LINE: Mapping[str, Callable[[str], Order]] = {SCHEDULE: Schedule}


def known_words(office: Office, queue: str | None) -> list[str]:
    """Every word that is a command there."""
    there = office.queues.get(queue or "")
    outcomes = there.outcomes.values() if there else ()
    return [*(word for outcome in outcomes for word in (outcome.command, *outcome.aliases)), *WORDS]


def every_word(office: Office) -> frozenset[str]:
    """Every word that is a command in some queue."""
    return frozenset(word for queue in (None, *office.queues) for word in known_words(office, queue))


def nearest(said: str, words: Iterable[str]) -> str:
    """The one command that is so near that it may have been meant; empty where none is."""
    near = min(words, key=lambda word: OSA.distance(said, word))
    return near if said and OSA.distance(said, near) <= max(1, len(near) // 3) else ""
