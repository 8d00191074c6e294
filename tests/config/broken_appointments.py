"""Mistakes in how a queue works by appointment."""

from __future__ import annotations

from tests.config.mistakes import B, one

HOURS = '      hours: "Mon 09:00-12:00, Mon 13:00-15:00"\n'
LENGTH = "      length: 30 minutes\n"
NOTICE = "      notice: 1 working day\n"

APPOINTMENTS = [
    one(
        "appointments on a day that is none",
        B,
        HOURS,
        '      hours: "Senin 09:00-12:00"\n',
        "rules/loket-b.yaml:136:7: write opening hours as `Mon-Fri 08:30-16:00`, several set off by commas",
    ),
    one("appointments without hours", B, HOURS, "", "rules/loket-b.yaml:135:5: hours is missing"),
    one("appointments without a length", B, LENGTH, "", "rules/loket-b.yaml:135:5: length is missing"),
    one(
        "an appointment longer than its hours",
        B,
        LENGTH,
        "      length: 150 minutes\n",
        "rules/loket-b.yaml:136:7: 13:00-15:00 has no room for one appointment of this length",
    ),
    one(
        "an appointment of no length",
        B,
        LENGTH,
        "      length: 1 minute\n",
        "rules/loket-b.yaml:137:7: an appointment takes from 5 minutes to 8 hours",
    ),
    one(
        "a length that is no span of time",
        B,
        LENGTH,
        "      length: half an hour\n",
        "rules/loket-b.yaml:137:7: write `30 minutes` or `1 hour`",
    ),
    one(
        "appointments for nobody at once",
        B,
        "      capacity: 1\n",
        "      capacity: 0\n",
        "rules/loket-b.yaml:138:7: write 1 or more, not 0",
    ),
    one(
        "a horizon that is none",
        B,
        "      ahead: 4 weeks\n",
        "      ahead: a month\n",
        "rules/loket-b.yaml:139:7: write `4 weeks` or `10 days`",
    ),
    one(
        "a horizon of years",
        B,
        "      ahead: 4 weeks\n",
        "      ahead: 100 weeks\n",
        "rules/loket-b.yaml:139:7: appointments are offered from a day to a year ahead",
    ),
    one(
        "a notice longer than the horizon",
        B,
        NOTICE,
        "      notice: 30 working days\n",
        "rules/loket-b.yaml:140:7: with a notice as long as `ahead` nothing could ever be taken",
    ),
    one(
        "a notice in other days",
        B,
        NOTICE,
        "      notice: 1 day\n",
        "rules/loket-b.yaml:140:7: write `1 working day`, `2 hours` or `30 minutes`",
    ),
    one(
        "an offer of nothing",
        B,
        "      offer: 5\n",
        "      offer: no\n",
        "rules/loket-b.yaml:141:7: write a whole number, not 'no'",
    ),
    one(
        "a reminder of no time",
        B,
        "      remind: [1 working day, 1 hour]\n",
        "      remind: [1 working day, soon]\n",
        "rules/loket-b.yaml:144:31: write `1 working day`, `2 hours` or `30 minutes`",
    ),
    one(
        "a reminder twice",
        B,
        "      remind: [1 working day, 1 hour]\n",
        "      remind: [1 hour, 60 minutes]\n",
        "rules/loket-b.yaml:144:7: a reminder stands here twice",
    ),
    one(
        "a setting of appointments that there is none of",
        B,
        NOTICE,
        "      notise: 1 working day\n",
        "rules/loket-b.yaml:140:7: notise is not known here; did you mean notice?",
    ),
    one(
        "appointments when the counter is closed",
        B,
        HOURS,
        '      hours: "Mon 09:00-12:00, Mon 16:00-18:00"\n',
        "rules/loket-b.yaml:136:7: warning: at Mon 16:00-18:00 ditlai_otsmkos@yahoo.co.id is closed"
        " (Mon-Fri 08:30-16:00)",
    ),
    one(
        "an outcome with the command of appointments",
        B,
        "        command: ABSEN\n",
        "        command: JADWAL\n",
        "rules/loket-b.yaml:153:9: JADWAL is a command of Loket's own in every queue",
    ),
]
