"""One working day of the town, played on the real daemon: mail in, digests, officers' answers, scans out."""

from __future__ import annotations

import asyncio
import time as clockwork
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from email.utils import parseaddr
from typing import TYPE_CHECKING

import aiosmtplib

from loket.core.token import NUMBER
from loket.demo.attach import document
from loket.demo.counters import COUNTERS, DESAIN
from loket.demo.errands import MIDDAY, MORNING, OFFICERS, Errand
from loket.demo.letter import PostBox, envelope_of
from loket.demo.mails import mails
from loket.demo.mails_asks import status_question
from loket.demo.officer import Answer, ReadyAnswer, answer, confirm, plain_text, reply
from loket.demo.stage import DemoError

if TYPE_CHECKING:
    from loket.app import App
    from loket.demo.stage import DemoClock
    from loket.demo.town import Town

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05

MAYA = "maya@suplemenprima.example"
FITRI, SHINTA = "fitri@calindo.example", "shinta@kolagenplus.example"
TINI, TINIS_REQUEST = "Tini Suhartini <tini@dapurjamu.example>", "<revisi-tini@dapurjamu.example>"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one part of the day has come: `at` is the demo's time of day, `total` what `done` will reach."""

    at: str
    text: str
    done: int
    total: int
    count: str
    """What is counted, in words."""


@dataclass(slots=True)
class Story:
    """The day; afterwards `errands` holds the Message-ID of each officer's answer with what it was to do."""

    town: Town
    app: App
    clock: DemoClock
    tell: Callable[[Progress], None]
    errands: dict[str, Errand] = field(default_factory=dict)
    _delivered: Counter[str] = field(default_factory=Counter)
    _read: Counter[str] = field(default_factory=Counter)
    _at: str = ""
    _taken_before: int = 0
    _sent_before: int = 0

    async def play(self) -> None:
        """From eight in the morning to the digest of one o'clock; DemoError when the daemon stops moving."""
        await self._mails_come_in()
        await self._digests(8, 30)
        await self._officers_answer(8, 40, MORNING)
        await self._officers_confirm(8, 50)
        await self._applicants_react()
        await self._digests(13, 0)
        await self._officers_answer(13, 5, MIDDAY)
        await self._officers_confirm(13, 15)

    def _move(self, hour: int, minute: int) -> None:
        self.clock.move(hour, minute)
        self._at = f"{hour:02d}:{minute:02d}"

    async def _mails_come_in(self) -> None:
        self._move(8, 0)
        written = mails(self.clock.now())
        for count, mail in enumerate(written, start=1):
            await self.town.deliver(mail.raw, mail.recipient, sender=mail.sender, at=mail.at)
            self._delivered[mail.recipient] += 1
            self._say("applicants write to seven counters", count, len(written), f"{count} mails")
        await self._settled("Loket takes them in")

    async def _digests(self, hour: int, minute: int) -> None:
        self._move(hour, minute)
        # The daemon looks at the clock twice a minute; this is the look at the very moment.
        await asyncio.to_thread(self.app.clockwork.timers.tick)
        await self._settled("Loket sends its digests")

    async def _officers_answer(self, hour: int, minute: int, errands: Sequence[Errand]) -> None:
        self._move(hour, minute)
        about = {
            ticket.number: (ticket.queue, ticket.about)
            for ticket in await asyncio.to_thread(self.app.stores.desk.tickets, queue=None, state=None, limit=10_000)
        }
        left = list(errands)
        for officer in OFFICERS:
            for digest in await self._unread(officer):
                # One mail at a time, so that each answer is known to belong to its errand.
                for errand in [one for one in left if one.officer == officer]:
                    for raw in answer(digest, _only(errand, about), now=self.clock.now()):
                        self.errands[str(message_from_bytes(raw, policy=default)["Message-ID"])] = errand
                        left.remove(errand)
                        await self._submit(raw)
                        answered = len(errands) - len(left)
                        self._say("officers answer, with scans", answered, len(errands), f"{answered} mails")
        if left:
            raise DemoError(f"no digest offers {left[0].command} for {left[0].about} to {left[0].officer}")
        await self._settled("Loket carries out what they said")

    async def _officers_confirm(self, hour: int, minute: int) -> None:
        """Who answered with a letter was told what would leave, and sends back the code."""
        self._move(hour, minute)
        told = {
            officer: [confirm(raw, now=self.clock.now()) for raw in await self._unread(officer)] for officer in OFFICERS
        }
        # The last one lists all that still waits.
        words = [word for said in told.values() if (word := next(filter(None, reversed(said)), None))]
        for count, word in enumerate(words, start=1):
            await self._submit(word)
            self._say("officers confirm their letters", count, len(words), f"{count} mails")
        await self._settled("Loket lets the letters go")

    async def _applicants_react(self) -> None:
        """A forgotten design, the subject that was shown, where a request stands, a time for a consultation."""
        self._move(10, 15)
        now = self.clock.now()
        [correction] = await self._unread(FITRI)
        design = document("Desain Cal-95 rev1.pdf", "DESAIN KEMASAN", "Cal-95")
        await self._submit(reply(correction, "Mohon maaf, ini desainnya.", now=now, attachments=[design]))
        [correction] = await self._unread(SHINTA)
        shown = [line for line in plain_text(correction).splitlines() if line.startswith("Revisi Desain_SK_")]
        if not shown:
            raise DemoError("the correction shows no subject to copy")
        await self._submit(reply(correction, "Ini suplemen, Bu.", now=now, subject=shown[0]))
        answers = [message_from_bytes(raw, policy=default) for raw in await self._unread(parseaddr(TINI)[1])]
        subject = next((str(each["Subject"]) for each in answers if each["In-Reply-To"] == TINIS_REQUEST), "")
        number = NUMBER.search(subject)
        if number is None:
            raise DemoError("the acknowledgement's subject holds no ticket number")
        question = status_question(PostBox(now), number[0], TINI, DESAIN)
        await self.town.deliver(question.raw, question.recipient, sender=question.sender, at=now)
        self._delivered[question.recipient] += 1
        [offer] = await self._unread(MAYA)
        await self._submit(reply(offer, "Kami pilih nomor 3. Terima kasih.", now=now))
        self._say("applicants write again", 4, 4, "4 mails")
        await self._settled("Loket takes them in")

    async def _unread(self, address: str) -> list[bytes]:
        """What came to this mailbox since it was last looked at."""
        found = await self.town.messages(address)
        before, self._read[address] = self._read[address], len(found)
        return found[before:]

    async def _submit(self, raw: bytes) -> None:
        """Through the town's SMTP server, logged in, as any mail client does."""
        sender, recipient = envelope_of(raw)
        town = self.town
        await aiosmtplib.send(
            raw,
            sender=sender,
            recipients=[recipient],
            hostname=town.host,
            port=town.smtp_port,
            username=sender,
            password=town.password,
            start_tls=False,
        )

    def _say(self, text: str, done: int, total: int, count: str) -> None:
        self.tell(Progress(self._at, text, done, total, count))

    async def _settled(self, text: str) -> None:
        """Wait until every mail at a counter has its end and everything written has left."""
        deadline = clockwork.monotonic() + PATIENCE_SECONDS
        while True:
            came = self._delivered.total() + sum(
                recipient in COUNTERS for envelope in self.town.sent for recipient in envelope.recipients
            )
            taken, phases = await asyncio.to_thread(self._state)
            written = sum(phases.values())
            sent = written - sum(phases.get(phase, 0) for phase in ("due", "claimed", "data"))
            before = self._taken_before + self._sent_before
            count = f"{taken - self._taken_before} taken in, {sent - self._sent_before} sent"
            self._say(text, taken + sent - before, came + written - before, count)
            if taken == came and sent == written:
                self._taken_before, self._sent_before = taken, sent
                return
            if clockwork.monotonic() > deadline:
                raise DemoError(f"{came - taken} mails without an end and {written - sent} not sent after a minute")
            await asyncio.sleep(LOOK_SECONDS)

    def _state(self) -> tuple[int, dict[str, int]]:
        desk = self.app.stores.desk
        fates = sum((Counter(view.fates) for view in desk.mailboxes()), Counter[str]())
        return fates.total() - fates["pending"], desk.outbox()


def _only(errand: Errand, about: dict[str, tuple[str, str]]) -> Callable[[ReadyAnswer], Answer | None]:
    """Choose the one ready answer that this errand is about."""

    def choose(link: ReadyAnswer) -> Answer | None:
        number = NUMBER.search(link.subject)
        wanted = link.command == errand.command and about.get(number[0] if number else "") == (
            errand.queue,
            errand.about,
        )
        return errand.answer if wanted else None

    return choose
