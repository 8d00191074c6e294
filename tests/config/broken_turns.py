"""Mistakes in how a queue calls in turn."""

from __future__ import annotations

from tests.config.mistakes import CONFIG, B, Broken, one

AT_ONCE = "      at_once: 3\n"
LENGTH = "      length: 15 minutes\n"
OPEN = "    rules: [loket-b, persuratan]\n    history: none\n    hours:"
OPEN = "    rules: [loket-b, persuratan]\n    history: none\n    hours:"
HERE = "rules/loket-b.yaml"

TURNS = [
    one("turns without a number", B, AT_ONCE, "", f"{HERE}:99:5: at_once is missing"),
    one("turns without a length", B, LENGTH, "", f"{HERE}:99:5: length is missing"),
    one("nobody served at once", B, AT_ONCE, "      at_once: 0\n", f"{HERE}:100:7: write 1 or more, not 0"),
    one(
        "a turn of no span",
        B,
        LENGTH,
        "      length: 15\n",
        f"{HERE}:101:7: write `30 minutes` or `1 hour`",
    ),
    one(
        "a turn of no time",
        B,
        LENGTH,
        "      length: 0 minutes\n",
        f"{HERE}:101:7: a turn takes from 1 minute to 8 hours",
    ),
    one(
        "a place for a channel that is none",
        B,
        "        WhatsApp: petugas",
        "        Watsap: petugas",
        f"{HERE}:105:9: write one of the channels WhatsApp, Telepon, Live chat, Tatap muka, Pos, Zoom, SMS",
    ),
    one(
        "a setting of turns that there is none of",
        B,
        AT_ONCE,
        "      atonce: 3\n      at_once: 3\n",
        f"{HERE}:100:7: atonce is not known here; did you mean at_once?",
    ),
    one(
        "a queue both by appointment and in turn",
        B,
        "    appointments:\n",
        "    live: {at_once: 3, length: 15 minutes}\n    appointments:\n",
        f"{HERE}:135:5: a queue works by appointment or calls in turn, not both",
    ),
    one(
        "an outcome with the command of turns",
        B,
        "        command: LEWAT\n",
        "        command: GILIRAN\n",
        f"{HERE}:115:9: GILIRAN is a command of Loket's own in every queue",
    ),
    one(
        "a turn longer than the counter is open",
        B,
        LENGTH,
        "      length: 8 hours\n",
        f"{HERE}:101:7: ditlai_otsmkos@yahoo.co.id is never open long enough for one turn (Mon-Fri 08:30-16:00)",
    ),
    Broken(
        "hours too short for a turn",
        (
            (
                CONFIG,
                f"{OPEN} Mon-Fri 08:30-16:00\n",
                f"{OPEN} Mon-Fri 08:30-15:00, Mon 15:30-15:40\n",
            ),
        ),
        (f"{HERE}:101:7: warning: nobody is called at Mon 15:30-15:40: ditlai_otsmkos@yahoo.co.id is open too short",),
    ),
]
