"""What an officer's digest would be at this moment."""

from __future__ import annotations

from loket.app import SystemClock
from loket.config.load import Snapshot
from loket.config.secrets import keys
from loket.core import agenda, notice
from loket.core.mail import Post
from loket.core.model import Occurrence
from loket.core.office import Officer
from loket.stores import Stores
from loket.timers import Timers


def digests(snapshot: Snapshot, stores: Stores, officer: Officer) -> list[bytes]:
    """The final bytes of each mail, with working ready answers; nothing is stored or sent."""
    office, clock = snapshot.office, SystemClock()
    signing = keys(snapshot.config, snapshot.root)
    timers = Timers(stores.desk, lambda: office, signing, clock, stores.contents.form, lambda _: True, lambda _: None)
    now = clock.now()
    away = stores.desk.away(now)
    written = []
    for mailbox, counter in office.counters.items():
        items, others = timers.desk(mailbox, officer, away)
        occurrence = Occurrence(f"preview:{mailbox}", officer.address, now)
        post = Post(office, counter, signing, now)
        booked = agenda.today(post, officer, stores.desk.standing(now))
        plan = notice.digest(post, officer, items, occurrence, eight_bit_way=True, others=others, appointments=booked)
        written += [stores.contents.render(mail) for mail in plan.outbox]
    return written
