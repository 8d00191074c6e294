"""A desk with requests for the SK, an officer who answers them, and what is asked of her first (promise P15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loket.core import token
from loket.core.authres import Trust
from loket.core.model import Fate, Outbound, Phase, Plan
from loket.core.office import Office
from tests.core.desk import (
    ANI,
    DESAIN,
    KEYS,
    NOW,
    PDF,
    Desk,
    letter,
    office,
    shown,
)

TOKEN = KEYS.officer(token.desk("LKT"), ANI, NOW)
FILES = [("sk.pdf", PDF)]
OURS = Trust(authserv=("mx.pom.go.id",))
BORDER = "from x by mx.pom.go.id with ESMTP; x"
PASS = "mx.pom.go.id; dmarc=pass header.from=pom.go.id"


def house(*, trust: Trust | None = None, **outcome: Any) -> Office:
    """The shipped office with another trust, or another proof for the letter."""
    found = office()
    queue = found.queues["ambil-sk-ot"]
    changed = queue.outcomes["sk-terbit"].model_copy(update=outcome)
    outcomes = {**queue.outcomes, "sk-terbit": changed}
    counter = replace(found.counters[DESAIN], trust=trust or Trust())
    return replace(
        found,
        queues={**found.queues, "ambil-sk-ot": queue.model_copy(update={"outcomes": outcomes})},
        counters={**found.counters, DESAIN: counter},
    )


class Room:
    """A desk where Ani answers requests for the SK."""

    def __init__(self, **more: Any) -> None:
        self.desk = Desk(house=house(**more))
        self.uid = 100

    def asked(self, product: str = "Jamu") -> str:
        self.uid += 1
        plan = self.desk.take(
            letter(f"Ambil SK_OT_{product}", files=[("desain.pdf", PDF)], uid=self.uid, message_id=f"<a{self.uid}@x>")
        )
        assert plan.opened is not None
        return plan.opened.number

    def says(
        self,
        number: str,
        body: str,
        *,
        author: str = ANI,
        fields: Mapping[str, str] | None = None,
        files: list[tuple[str, bytes]] | None = None,
        tokens: str | None = None,
    ) -> Plan:
        self.uid += 1
        reference = KEYS.officer(number, author, self.desk.now) if tokens is None else tokens
        head = {**(fields or {}), "In-Reply-To": f"<{reference}.0a@gmail.com>"}
        said = {"author": author, "fields": head, "files": files or [], "uid": self.uid}
        return self.desk.take(letter("Re:", body, message_id=f"<o{self.uid}@pom.go.id>", **said))

    def answers(self, number: str, **more: Any) -> Plan:
        return self.says(number, "SK\n\nSelamat.\n", files=FILES, **more)

    def confirms(self, code: str, **more: Any) -> Plan:
        return self.says(token.desk("LKT"), f"YA {code}\n", **more)


def told(plan: Plan) -> Outbound:
    [mail] = [mail for mail in plan.outbox if mail.key.startswith("code:")]
    return mail


def code_of(plan: Plan) -> str:
    found = re.search(r"^    YA (\S+)\s*$", shown(told(plan)), re.MULTILINE)
    assert found
    return found[1]


def leaving(plan: Plan) -> list[str]:
    """Whom the plan sends something to, now or by letting it go."""
    return [mail.recipient for mail in plan.outbox if not mail.held] + [
        f"{move.key}" for move in plan.moves if move.phase is Phase.DUE
    ]


def refused(plan: Plan, why: str) -> None:
    """Set aside, the real officer told, nothing let go."""
    assert plan.fate is Fate.QUARANTINE
    assert plan.quarantine is not None
    assert plan.quarantine.reason == f"officer: {why}"
    assert leaving(plan) == [ANI] * len(leaving(plan)) != []
    assert plan.changed == ()
