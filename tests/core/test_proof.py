"""How much an outcome asks of its officer, and what a mail proves."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from loket.core.authres import Trust
from loket.core.model import Fate
from tests.core.desk import ANI, KEYS, NOW, SARI, SOUND, letter, looked_into
from tests.core.proofs import BORDER, FILES, OURS, PASS, Room, code_of, leaving, refused

TRUSTED = {"Received": BORDER, "Authentication-Results": PASS}
FAILED = {"Received": BORDER, "Authentication-Results": PASS.replace("pass", "fail")}


def above(fields: Mapping[str, str]) -> dict[str, str]:
    """The border's result above its own Received."""
    return {name: fields[name] for name in ("Authentication-Results", "Received") if name in fields}


@pytest.mark.parametrize(
    ("proof", "fields", "wanted"),
    [
        ("token", {}, "sent"),
        ("trusted", {}, "aside"),
        ("trusted", TRUSTED, "sent"),
        ("code", {}, "code"),
        ("code", TRUSTED, "code"),
        (None, {}, "code"),
        (None, TRUSTED, "sent"),
        ("either", TRUSTED, "sent"),
        ("both", {}, "aside"),
        ("both", TRUSTED, "code"),
        *((proof, FAILED, "forged") for proof in ("token", "trusted", "code", "either", "both", None)),
    ],
)
def test_each_outcome_takes_the_proof_that_the_rules_ask_for(
    proof: str | None, fields: Mapping[str, str], wanted: str
) -> None:
    room = Room(trust=OURS, proof=proof)
    plan = room.answers(room.asked(), fields=above(fields))
    if wanted == "sent":
        assert leaving(plan) == [SARI, ANI]
    elif wanted == "code":
        assert leaving(plan) == [ANI, ANI]
        assert len(room.confirms(code_of(plan), fields=above(fields)).changed) == 1
    else:
        assert plan.fate is Fate.QUARANTINE
        assert leaving(plan) == [ANI]
        reason = plan.quarantine.reason if plan.quarantine else ""
        assert reason == ("officer: forged" if wanted == "forged" else "held: not-authenticated")


def test_a_forged_mail_obeys_no_command_and_confirms_nothing() -> None:
    room = Room(trust=OURS)
    number = room.asked()
    code = code_of(room.answers(number))
    for body in (f"YA {code}\n", "ALIH triase\n", "REVISI\n"):
        refused(room.says(number, body, fields=above(FAILED)), "forged")


@pytest.mark.parametrize(
    ("dkim", "signers", "wanted"), [(True, {"pom.go.id"}, [SARI, ANI]), (False, {"pom.go.id"}, None)]
)
def test_a_signature_verified_here_counts_where_the_configuration_says_so(
    dkim: bool, signers: set[str], wanted: list[str] | None
) -> None:
    room = Room(trust=Trust(dkim=dkim))
    number = room.asked()
    reference = KEYS.officer(number, ANI, NOW)
    mail = letter("SK", "SK\n", author=ANI, files=FILES, uid=9, fields={"In-Reply-To": f"<{reference}.0a@gmail.com>"})
    plan = room.desk.take(looked_into(mail, SOUND, signers=frozenset(signers)))
    assert leaving(plan) == (wanted or [ANI, ANI])
