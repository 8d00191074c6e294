"""Days off: both categories of the registry, what the office adds and takes away, and what nobody knows yet."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from loket.config.daysoff import DaysOff, days_off, look_ahead
from loket.config.load import load
from loket.config.models import Holidays
from loket.core.calendar import Unsettled, years_ahead

TOP = Path(__file__).parents[2]

# 2026 as decreed: public holidays and joint leave that fall on Monday to Friday, by hand from the decree's list.
OFF_2026 = """
    01-01 01-16 02-16 02-17 03-18 03-19 03-20 03-23 03-24 04-03 05-01 05-14 05-15 05-27 05-28 06-01 06-16 08-17 08-25
    12-24 12-25
"""


def test_a_year_has_its_public_holidays_and_its_joint_leave() -> None:
    off = days_off(Holidays(country="ID"))
    days = [date.fromordinal(number) for number in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())]
    assert [f"{day:%m-%d}" for day in days if off(day) and day.weekday() < 5] == OFF_2026.split()


def test_the_office_adds_and_takes_away_with_or_without_a_decree() -> None:
    said = {
        "country": "ID",
        "add": ["2026-03-25", {"date": "2026-12-28", "note": "SKB 3 Menteri"}],
        "remove": [{"date": "2026-12-24", "note": "masuk"}],
    }
    settings = Holidays.model_validate(said)
    off = days_off(settings)
    assert [off(date(2026, month, day)) for month, day in ((3, 25), (12, 28), (12, 24), (12, 25))] == [
        *(True, True, False, True)
    ]
    assert settings.add[1].note == "SKB 3 Menteri"


def test_a_year_without_joint_leave_is_told_until_some_is_added() -> None:
    assert DaysOff(Holidays(country="ID")).unsettled(2026) == Unsettled(2026)
    assert DaysOff(Holidays(country="ID")).unsettled(2028).no_joint_leave
    added = Holidays.model_validate({"country": "ID", "add": ["2028-02-25"]})
    assert not DaysOff(added).unsettled(2028).no_joint_leave
    # A country that never has any lacks none.
    assert not DaysOff(Holidays(country="DE")).unsettled(2028).no_joint_leave
    assert not DaysOff(Holidays()).unsettled(2028)


@pytest.mark.parametrize("language", ["C.UTF-8", "en_US.UTF-8", "id_ID.UTF-8"])
def test_estimates_are_told_whatever_the_machines_language_until_the_office_knows_better(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setitem(os.environ, name, language)
    told = DaysOff(Holidays(country="ID")).unsettled(2028)
    assert (date(2028, 2, 27), "Hari Raya Idul Fitri") in told.estimates
    assert date(2028, 8, 17) not in dict(told.estimates)
    right = {"country": "ID", "add": ["2028-02-27"], "remove": ["2028-05-05"]}
    left = dict(DaysOff(Holidays.model_validate(right)).unsettled(2028).estimates)
    assert {date(2028, 2, 27), date(2028, 5, 5)}.isdisjoint(left)
    assert date(2028, 2, 28) in left


def test_what_is_over_is_no_estimate_any_more() -> None:
    told = Unsettled(2028, estimates=((date(2028, 2, 27), "a"), (date(2028, 5, 5), "b")))
    assert told.from_day(date(2028, 2, 28)).estimates == ((date(2028, 5, 5), "b"),)
    assert not told.from_day(date(2028, 6, 1))


def test_the_next_year_matters_from_october_on() -> None:
    assert years_ahead(date(2026, 9, 30)) == (2026,)
    assert years_ahead(date(2026, 10, 1)) == (2026, 2027)


def test_check_warns_at_the_place_where_to_mend_it(tmp_path: Path) -> None:
    text = (TOP / "config.yaml").read_text().replace("    remove: []  ", "    remove: [2026-12-29]  ")
    (tmp_path / "config.yaml").write_text(text)
    (tmp_path / "rules").symlink_to(TOP / "rules")
    snapshot = load(tmp_path / "config.yaml")
    said = [str(problem).replace(f"{tmp_path}/", "") for problem in look_ahead(snapshot, date(2027, 10, 1))]
    assert said[:2] == [
        "config.yaml:22:14: warning: 2026-12-29 is a working day anyway",
        "config.yaml:19:3: warning: 2028 has no joint leave yet; list its days under `add` once they are decreed",
    ]
    assert said[2].startswith("config.yaml:19:3: warning: days off of 2028 are estimates: 2028-01-26 (")
    assert len(list(look_ahead(snapshot, date(2026, 9, 1)))) == 1


def fresh(program: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def test_the_office_of_one_country_does_not_hold_all_others_in_memory() -> None:
    said = fresh(
        "import sys\nfrom datetime import date\n"
        "from loket.config.daysoff import days_off, known_country\nfrom loket.config.models import Holidays\n"
        "print(known_country('ID'), known_country('XX'), days_off(Holidays(country='ID'))(date(2026, 8, 17)))\n"
        "print([name for name in sys.modules if name.startswith('holidays.countries')])"
    )
    assert said == "True False True\n['holidays.countries.indonesia']"


def test_every_country_can_be_imported_without_the_others() -> None:
    """Those too that are built upon another; and each is the one that the registry itself gives."""
    said = fresh(
        "import holidays\nfrom loket.config import daysoff\n"
        "codes = sorted({code for code in daysoff.EntityLoader.get_country_codes() if len(code) == 2})\n"
        "alone = {code: sorted(daysoff._country(code)(years=2026).items()) for code in codes}\n"
        "import holidays.countries\n"
        "print(len(codes) > 200, [code for code in codes if alone[code] != "
        "sorted(holidays.country_holidays(code, years=2026).items())])"
    )
    assert said == "True []"
