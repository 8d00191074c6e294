"""Turns as arithmetic: whoever comes first is called first, never more than fit, nobody twice and nobody left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loket.core.calendar import Calendar, parse_hours
from loket.core.model import End, Turn
from loket.core.turns import Line, Live, Wait, advance, begins, lines_after, over, wait

WIB = ZoneInfo("Asia/Jakarta")
HOURS = "Mon-Thu 08:30-12:00, Mon-Thu 13:00-16:00, Fri 08:30-11:30"
OFF = date(2026, 11, 25)
QUEUE = "konsultasi-chat"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, in Jakarta."""
    return datetime(2026, 11, day, hour, minute, tzinfo=WIB)


def calendar(hours: str = HOURS, zone: ZoneInfo = WIB) -> Calendar:
    """Open by these hours, but on the Wednesday."""
    return Calendar(zone, parse_hours(hours), lambda day: day == OFF)


def live(at_once: int = 3, minutes: int = 15, **more: object) -> Live:
    """So many at once for so long."""
    return Live.model_validate({"at_once": at_once, "length": f"{minutes} minutes", **more})


def line(count: int, now: datetime) -> Line:
    """So many who came one after the other and wait."""
    found = Line(QUEUE)
    for number in range(count):
        found = found.after([found.joined(f"T{number + 1}", now)])
    return found


def names(turns: object) -> list[str]:
    """Whose turns they are."""
    return [one.ticket for one in turns]  # type: ignore[attr-defined] # any sequence of turns


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (at(24, 9), at(24, 9)),
        (at(24, 8, 29), at(24, 8, 30)),
        (at(24, 11, 45), at(24, 11, 45)),
        # Not a whole turn before the break, nor before closing, nor on a day off.
        (at(24, 11, 46), at(24, 13)),
        (
            at(
                24,
                15,
                45,
            ),
            at(24, 15, 45),
        ),
        (at(24, 15, 46), at(26, 8, 30)),
        (at(27, 11, 16), at(30, 8, 30)),
    ],
)
def test_a_turn_begins_where_all_of_it_fits(now: datetime, first: datetime) -> None:
    assert begins(calendar(), timedelta(minutes=15), now) == first


def test_a_turn_in_the_night_when_the_clocks_change_lasts_as_long_as_any() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    open_ = calendar("Mon-Sun 01:00-04:00", berlin)
    now = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)
    [called] = advance(line(1, now), live(), open_, now)
    assert called.ends_at is not None
    assert called.ends_at - now == timedelta(minutes=15)
    # 01.00 to 04.00 is two hours that night: at a quarter past 03.00 there are 45 minutes left.
    assert begins(open_, timedelta(minutes=45), datetime(2026, 3, 29, 1, 15, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, 15, tzinfo=UTC
    )
    assert begins(open_, timedelta(minutes=46), datetime(2026, 3, 29, 1, 15, tzinfo=UTC)) == datetime(
        2026, 3, 29, 23, 0, tzinfo=UTC
    )


def test_the_first_are_called_and_a_seat_that_is_free_is_the_next_ones() -> None:
    now = at(24, 9)
    there = line(5, now)
    called = advance(there, live(), calendar(), now)
    assert [(one.ticket, one.seat, one.ends_at) for one in called] == [
        ("T1", 1, at(24, 9, 15)),
        ("T2", 2, at(24, 9, 15)),
        ("T3", 3, at(24, 9, 15)),
    ]
    there = there.after(called)
    assert advance(there, live(), calendar(), now) == ()
    there = there.after([over(called[1], End.ANSWERED, at(24, 9, 4))])
    [next_] = advance(there, live(), calendar(), at(24, 9, 4))
    assert (next_.ticket, next_.seat, next_.ends_at) == ("T4", 2, at(24, 9, 19))


def test_fewer_at_once_than_before_call_nobody_until_enough_have_gone() -> None:
    now = at(24, 9)
    there = line(6, now)
    there = there.after(advance(there, live(), calendar(), now))
    assert advance(there, live(1), calendar(), now) == ()
    there = there.after([over(there.served[0], End.ANSWERED, now), over(there.served[1], End.ANSWERED, now)])
    assert advance(there, live(1), calendar(), now) == ()
    there = there.after([over(there.served[0], End.ANSWERED, now)])
    assert names(advance(there, live(1), calendar(), now)) == ["T4"]


def test_nobody_is_called_where_nobody_serves_and_time_ends_all_the_same() -> None:
    now = at(24, 9)
    there = line(4, now)
    there = there.after(advance(there, live(), calendar(), now))
    changed = advance(there, live(), calendar(), at(24, 9, 15), attended=False)
    assert [(one.ticket, one.end) for one in changed] == [("T1", End.TIME), ("T2", End.TIME), ("T3", End.TIME)]


@pytest.mark.parametrize(
    ("already", "now", "low", "high"),
    [
        # Whoever is behind k others is called when so many have had a third of their time, or all of it.
        (0, at(24, 9), at(24, 9), at(24, 9)),
        (3, at(24, 9), at(24, 9, 5), at(24, 9, 15)),
        (6, at(24, 9), at(24, 9, 10), at(24, 9, 30)),
        # Over the break, over the night, over the day off.
        (3, at(24, 11, 40), at(24, 11, 45), at(24, 13)),
        (3, at(24, 15, 45), at(26, 8, 30), at(26, 8, 30)),
        (0, at(25, 12), at(26, 8, 30), at(26, 8, 30)),
    ],
)
def test_the_wait_is_from_the_quickest_to_the_whole_time(
    already: int, now: datetime, low: datetime, high: datetime
) -> None:
    there = line(already, now)
    there = there.after(advance(there, live(), calendar(), now))
    assert wait(there, live(), calendar(), now, "new") == Wait(low, high)


def test_what_turns_took_of_late_makes_the_early_end_of_the_wait() -> None:
    now = at(24, 9)
    there = line(3, now)
    there = there.after(advance(there, live(), calendar(), now))
    taken = tuple(timedelta(minutes=minutes) for minutes in (9, 12, 12, 12, 14))
    assert wait(replace(there, taken=taken), live(), calendar(), now, "new") == Wait(at(24, 9, 12), at(24, 9, 15))
    assert wait(replace(there, taken=taken[:4]), live(), calendar(), now, "new") == Wait(at(24, 9, 5), at(24, 9, 15))


def test_a_counter_that_never_opens_promises_nothing() -> None:
    closed = Calendar(WIB, parse_hours("Mon-Fri 08:30-16:00"), lambda _: True)
    now = at(24, 9)
    assert wait(line(1, now), live(), closed, now, "new") is None
    assert advance(line(1, now), live(), closed, now) == ()


def test_each_channel_has_its_place_and_the_first_is_for_all_others() -> None:
    told = live(where={"Live chat": "chat", "Telepon": "phone"})
    assert [told.place(channel) for channel in ("Telepon", "Live chat", "Pos", "")] == ["phone", "chat", "chat", "chat"]
    assert [live(where="here").place(channel) for channel in ("Telepon", "")] == ["here", "here"]
    assert live().place("Telepon") == ""


class Counter(RuleBasedStateMachine):
    """A counter with people who come, leave and are served, officers who come and go, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = at(24, 8)
        self.line = Line(QUEUE)
        self.every: dict[int, Turn] = {}
        self.order: list[int] = []
        self.came = 0

    @initialize(at_once=st.integers(1, 4), minutes=st.integers(1, 90))
    def open(self, at_once: int, minutes: int) -> None:
        self.live = live(at_once, minutes)

    def change(self, turns: object) -> None:
        changed = tuple(turns)  # type: ignore[arg-type] # any sequence of turns
        self.line = lines_after({QUEUE: self.line}, changed)[QUEUE]
        self.every |= {one.serial: one for one in changed}

    @rule(count=st.integers(1, 5))
    def come(self, count: int) -> None:
        for _ in range(count):
            self.came += 1
            self.change([self.line.joined(f"T{self.came}", self.now)])

    @rule(minutes=st.sampled_from([0, 1, 5, 15, 60, 600, 1440]), attended=st.booleans())
    def look(self, minutes: int, attended: bool) -> None:
        """The clock moves, and is looked at: what is due happens, all of it and once."""
        self.now += timedelta(minutes=minutes)
        due = [one.serial for one in self.line.served if one.ends_at is not None and one.ends_at <= self.now]
        changed = advance(self.line, self.live, calendar(), self.now, attended=attended)
        assert [one.serial for one in changed if one.over] == due
        called = [one for one in changed if one.served]
        waiting = [one.serial for one in self.line.waiting]
        assert [one.serial for one in called] == waiting[: len(called)], "the first who wait, in their order"
        for one in called:
            assert one.ends_at == self.now + self.live.length
            assert any(opens <= self.now and one.ends_at <= closes for opens, closes in calendar().moments(self.day))
        self.order += [one.serial for one in called]
        self.change(changed)
        if attended and begins(calendar(), self.live.length, self.now) == self.now:
            free = self.live.at_once - len(self.line.served)
            assert free <= 0 or not self.line.waiting, "a free seat and somebody waiting"
        assert advance(self.line, self.live, calendar(), self.now, attended=attended) == ()

    @property
    def day(self) -> date:
        return self.now.astimezone(WIB).date()

    @precondition(lambda self: bool(self.line.turns))
    @rule(data=st.data(), end=st.sampled_from([End.ANSWERED, End.WITHDRAWN, End.MOVED]))
    def leave(self, data: st.DataObject, end: End) -> None:
        self.change([over(data.draw(st.sampled_from(self.line.turns)), end, self.now)])

    @rule(at_once=st.integers(1, 4))
    def fewer_or_more(self, at_once: int) -> None:
        """The admin edits; those who are served stay."""
        if at_once >= len(self.line.served):
            self.live = live(at_once, self.live.length // timedelta(minutes=1))

    @invariant()
    def never_too_many_each_with_a_seat(self) -> None:
        seats = [one.seat for one in self.line.served]
        assert len(seats) <= (self.live.at_once if hasattr(self, "live") else 0)
        assert len(set(seats)) == len(seats)
        assert None not in seats
        assert all(one.seat is None for one in self.every.values() if not one.served)

    @invariant()
    def nobody_twice_nobody_out_of_order_nobody_lost(self) -> None:
        assert self.order == sorted(set(self.order))
        assert sorted(self.every) == list(range(1, self.came + 1))
        standing = {one.serial for one in self.line.turns}
        assert standing == {serial for serial, one in self.every.items() if not one.over}

    def teardown(self) -> None:
        """At the end all go home served: the clock alone ends and calls whoever is left, in order."""
        if not hasattr(self, "live"):
            return
        for _ in range(4 * (len(self.line.turns) + 1)):
            starts = begins(calendar(), self.live.length, self.now)
            assert starts is not None
            self.now = starts
            self.look(0, attended=True)
            ends = [one.ends_at for one in self.line.served if one.ends_at is not None]
            self.now = min(ends, default=self.now)
        assert self.line.waiting == []
        left = {serial for serial, one in self.every.items() if one.called_at is None}
        assert all(self.every[serial].end in (End.WITHDRAWN, End.MOVED, End.ANSWERED) for serial in left)
        assert set(self.order) | left == set(self.every)


Counter.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=30, derandomize=True)
TestACounterThroughItsDays = Counter.TestCase
