"""What is shipped is whole: the wheel, the pins, the image."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())
PINS = [line for line in (TOP / "constraints.txt").read_text().splitlines() if not line.startswith("#")]


def _required() -> list[Requirement]:
    project = PROJECT["project"]
    development = [each for extra in project["optional-dependencies"].values() for each in extra]
    return [Requirement(text) for text in project["dependencies"] + development + PROJECT["build-system"]["requires"]]


def test_constraints_hold_exact_pins_and_no_address() -> None:
    for line in PINS:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line
    assert "://" not in (TOP / "constraints.txt").read_text()


@pytest.mark.parametrize("requirement", _required(), ids=lambda requirement: requirement.name)
def test_each_requirement_has_a_pin_within_its_bounds(requirement: Requirement) -> None:
    pins = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in PINS)}
    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_the_wheel_holds_the_package_its_type_marker_the_shipped_office_and_nothing_else(tmp_path: Path) -> None:
    # Built from a copy, for the backend writes beside its source.
    source = tmp_path / "source"
    shutil.copytree(TOP / "daemon", source / "daemon", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / "rules", source / "rules")
    for name in ("pyproject.toml", "README.md", "config.yaml"):
        shutil.copy(TOP / name, source)
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("loket-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = source / "daemon"
    assert names >= {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert "loket/py.typed" in names
    shipped = [path for path in (source / "config.yaml", *(source / "rules").rglob("*")) if path.is_file()]
    assert names >= {f"loket/demo/office/{path.relative_to(source)}" for path in shipped}
    assert {name.split("/")[0].split("-")[0] for name in names} == {"loket"}


def _instructions() -> list[tuple[str, str]]:
    lines = (TOP / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def _last_stage() -> dict[str, str]:
    instructions = _instructions()
    start = max(index for index, (word, _) in enumerate(instructions) if word == "FROM")
    return dict(instructions[start:])


def test_the_image_runs_as_a_numbered_user_who_is_not_root() -> None:
    uid, _, gid = _last_stage()["USER"].partition(":")
    assert int(uid) > 0
    assert int(gid) > 0


def test_the_image_hands_signals_to_loket_itself() -> None:
    """In shell form /bin/sh would be process 1 and swallow SIGTERM."""
    stage = _last_stage()
    assert stage["ENTRYPOINT"] == '["loket"]'
    assert stage["CMD"] == '["run"]'
    assert stage["STOPSIGNAL"] == "SIGTERM"


def test_the_image_tells_its_health_through_loket_status() -> None:
    assert _last_stage()["HEALTHCHECK"].endswith('CMD ["loket", "status"]')


def test_the_image_copies_only_what_the_build_context_lets_through() -> None:
    allowed = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name
        for word, rest in _instructions()
        if word == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    }
    assert copied == allowed
    assert all((TOP / name).exists() for name in copied)
