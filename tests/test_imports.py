"""Which room may import which (docs/flow.md), and what core may never do, read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DAEMON = Path(__file__).parents[1] / "daemon"

CORE = {"core.model", "core"}
MIDDLE = CORE | {"config", "sheet", "ports", "maillog"}
RUNNERS = {
    "intake",
    "watch",
    "outbox",
    "pen",
    "timers",
    "reminders",
    "lapses",
    "examine",
    "follow",
    "guard",
    "clerk",
    "taker",
    "line",
}
RUNNERS |= {"copies", "places", "timetable", "deadlines", "reports", "rounds", "appointments", "turns"}
EDGES = {
    "wake",
    "bounds",
    "tls",
    "sasl",
    "folders",
    "oauth",
    "imap",
    "submission",
    "exchange",
    "smtp",
    "scans",
    "signatures",
    "charts",
    "sentfolder",
}
BELOW_APP = MIDDLE | EDGES | {"files", "store"} | RUNNERS

# A room knows what stands here and itself; `edges` know no store and not each other, `app` knows all of the daemon.
MAY_KNOW: dict[str, set[str]] = {
    "core.model": set(),
    "core": {"core.model"},
    **dict.fromkeys(("config", "sheet", "maillog"), CORE),
    "ports": CORE | {"sheet"},
    **dict.fromkeys(("tls", "sasl", "folders", "files", "store"), MIDDLE),
    "oauth": MIDDLE | {"tls"},
    "wake": set(),
    "bounds": MIDDLE,
    "imap": MIDDLE | {"tls", "sasl", "folders", "files", "wake", "bounds"},
    "submission": MIDDLE | {"tls", "sasl"},
    "exchange": MIDDLE,
    "smtp": MIDDLE | {"submission", "exchange"},
    # An IMAP session of another use.
    "sentfolder": MIDDLE | {"imap", "folders"},
    **dict.fromkeys(("scans", "signatures", "charts"), MIDDLE),
    **dict.fromkeys(RUNNERS, BELOW_APP),
    **dict.fromkeys(("stores", "doors"), BELOW_APP),
    "rehearsal": BELOW_APP | {"stores", "doors"},
    "clockwork": BELOW_APP | {"stores"},
    "app": BELOW_APP | {"stores", "doors", "clockwork"},
    "demo": BELOW_APP | {"stores", "app"},
    "doctor": BELOW_APP | {"stores", "doors"},
    "cli": BELOW_APP | {"stores", "doors", "app", "demo", "doctor", "rehearsal"},
    "__main__": {"cli"},
}

# One foreign thing, one room; the demo plays the other end of each.
HOMES: dict[str, set[str]] = {
    "imapclient": {"imap", "folders", "demo"},
    "aiosmtplib": {"smtp", "submission", "exchange", "demo"},
    "oauthlib": {"oauth"},
    "dkim": {"signatures"},
    "dns": {"signatures", "doctor"},
    "pypdf": {"scans"},
    "PIL": {"scans", "charts"},
    "sqlalchemy": {"store", "demo"},
    "alembic": {"store"},
    "structlog": {"maillog"},
    "apscheduler": {"app"},
    "icalendar": {"core"},
    "jinja2": {"core"},
    "holidays": {"config"},
    "yaml": {"config", "demo"},
    "typer": {"cli"},
    "uvloop": {"cli"},
    "rich": {"cli"},
    "pymap": {"demo"},
    "aiosmtpd": {"demo"},
}

# Everything core may know of the world: values, text and mathematics. What is not here does not come in unseen.
PURE = """
    __future__ base64 binascii bisect codecs collections dataclasses datetime email enum fnmatch functools hashlib heapq
    hmac html icalendar itertools jinja2 math mmap pydantic quopri rapidfuzz re re2 typing unicodedata urllib.parse zlib
    zoneinfo
"""
# Names in those modules that read the clock, a random source, the machine's zone or a disk.
IMPURE_NAMES = """
    formatdate localtime make_msgid FileSystemLoader PackageLoader ModuleLoader FunctionLoader FileSystemBytecodeCache
"""
# Called, these do the same; `mmap` and `ZoneInfo` are types here, made by the shell; `hash` of a text is random.
IMPURE_CALLS = """
    now utcnow today uuid4 uuid1 urandom open print input eval exec compile __import__ import_module breakpoint
    mmap ZoneInfo hash
"""


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, whether it is a package, and its syntax tree."""

    name: str
    package: bool
    tree: ast.Module


@dataclass(frozen=True)
class Arrow:
    """One import, wherever in the file it stands."""

    to: str
    line: int
    inside: bool
    for_types: bool


def modules() -> list[Module]:
    """All of the daemon, demo and migrations too."""
    found = []
    for path in sorted(DAEMON.rglob("*.py")):
        steps = path.relative_to(DAEMON).with_suffix("").parts
        package = steps[-1] == "__init__"
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        found.append(Module(".".join(steps[:-1] if package else steps), package, tree))
    return found


MODULES = modules()
NAMES = {module.name for module in MODULES}


def planted(name: str, source: str) -> Module:
    return Module(name, False, ast.parse(source))


def room(name: str) -> str:
    """The room of a module: the first name below loket, but core.model is one of its own."""
    steps = name.split(".")[1:]
    return "core.model" if steps[:2] == ["core", "model"] else steps[0] if steps else "loket"


def arrows(module: Module) -> Iterator[Arrow]:
    """Every import, those in functions and those for the type checker alone included."""
    home = module.name if module.package else module.name.rpartition(".")[0]

    def walk(node: ast.AST, inside: bool, for_types: bool) -> Iterator[Arrow]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Arrow(alias.name, child.lineno, inside, for_types)
            elif isinstance(child, ast.ImportFrom):
                above = ".".join(home.split(".")[: len(home.split(".")) - child.level + 1]) if child.level else ""
                base = ".".join(step for step in (above, child.module) if step)
                for alias in child.names:
                    whole = f"{base}.{alias.name}"
                    yield Arrow(whole if whole in NAMES else base, child.lineno, inside, for_types)
            else:
                chain = ast.unparse(child) if isinstance(child, ast.Attribute) else ""
                if chain.startswith("loket.") and chain in NAMES:
                    yield Arrow(chain, child.lineno, False, for_types)
                types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
                function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from walk(child, inside or function, for_types or types)

    yield from walk(module.tree, inside=False, for_types=False)


def wrong_arrows(module: Module) -> Iterator[str]:
    """What this module imports and may not."""
    own = room(module.name)
    if own not in MAY_KNOW and own != "loket":
        yield f"{module.name}: a new room; say in MAY_KNOW and docs/flow.md what it may import"
        return
    for arrow in arrows(module):
        where = f"{module.name}:{arrow.line} → {arrow.to}"
        top = arrow.to.partition(".")[0]
        if arrow.to == "loket":
            continue  # the package itself holds nothing
        if top == "loket":
            target = room(arrow.to)
            if target != own and target not in MAY_KNOW.get(own, set()):
                yield where
            elif arrow.inside and (target != own or own in CORE):
                yield f"{where}, hidden in a function"
        elif own not in HOMES.get(top, {own}):
            yield f"{where}: {top} belongs to {' and '.join(sorted(HOMES[top]))}"


def impurities(module: Module) -> Iterator[str]:
    """What makes a module of core depend on more than its arguments."""
    for arrow in arrows(module):
        steps = {arrow.to, arrow.to.partition(".")[0]}
        if arrow.to.partition(".")[0] != "loket" and not steps & set(PURE.split()):
            yield f"{module.name}:{arrow.line} imports {arrow.to}"
    for node in ast.walk(module.tree):
        where = f"{module.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ImportFrom):
            yield from (f"{where} imports {alias.name}" for alias in node.names if alias.name in IMPURE_NAMES.split())
        elif isinstance(node, ast.Attribute) and node.attr in IMPURE_NAMES.split():
            yield f"{where} names {node.attr}"
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            # `re.compile` and `re2.compile` make a value of its argument; the builtin makes code.
            if name.rpartition(".")[2] in IMPURE_CALLS.split() and name not in ("re.compile", "re2.compile"):
                yield f"{where} calls {name}"
            elif name.endswith(".astimezone") and not node.args and not node.keywords:
                yield f"{where} asks for the machine's zone"
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield f"{where} keeps state in {', '.join(node.names)}"


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a ring; empty where there is none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        ring = next((found for to in sorted(edges.get(name, ())) if (found := visit(to, [*path, name]))), [])
        done.add(name)
        return ring

    return next((ring for name in sorted(edges) if (ring := visit(name, []))), [])


def at_run_time(found: Iterable[Module]) -> dict[str, set[str]]:
    return {module.name: {a.to for a in arrows(module) if not a.for_types and a.to in NAMES} for module in found}


def test_no_import_points_up_or_sideways() -> None:
    assert [wrong for module in MODULES for wrong in wrong_arrows(module)] == []


def test_core_depends_on_its_arguments_alone() -> None:
    assert [wrong for module in MODULES if room(module.name) in CORE for wrong in impurities(module)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(at_run_time(MODULES)) == []


def test_every_room_of_the_daemon_is_walked() -> None:
    """A walk that misses a folder would find nothing wrong in it."""
    rooms = {room(name) for name in NAMES} - {"loket"}
    assert rooms - {"guard"} == set(MAY_KNOW) - {"guard"}
    assert {"loket.demo.town", "loket.store.migrations.versions.v0001_first", "loket.cli.demo"} <= NAMES


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("loket.core.model", "from loket.core import parse"),
        ("loket.core.decide", "from loket.config.models import Config"),
        ("loket.core.decide", "from loket import ports"),
        ("loket.core.decide", "from ..ports import Clock"),
        ("loket.core.decide", "import loket.store.schema"),
        ("loket.core.decide", "def f():\n    from loket.core import parse"),
        ("loket.core.decide", "import loket\nx = loket.store"),
        ("loket.ports", "from loket.config.models import Config"),
        ("loket.config.load", "from loket.files import FolderFiles"),
        ("loket.imap", "from loket.smtp import SmtpCourier"),
        ("loket.smtp", "from loket import imap"),
        ("loket.imap", "from loket.store.database import Database"),
        ("loket.store.desk", "from loket.files import FolderFiles"),
        ("loket.intake", "from loket.app import App"),
        ("loket.intake", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from loket.app import App"),
        ("loket.timers", "def f():\n    from loket.cli import common"),
        ("loket.timers", "def f():\n    from loket.core import notice"),
        ("loket.app", "from loket.demo.town import Town"),
        ("loket.demo.town", "from loket.cli import common"),
        ("loket.__main__", "from loket.app import App"),
        ("loket.intake", "import sqlalchemy"),
        ("loket.store.desk", "from imapclient import IMAPClient"),
        ("loket.nieuw", "import re"),
    ],
)
def test_a_planted_wrong_arrow_is_found(name: str, source: str) -> None:
    assert len(list(wrong_arrows(planted(name, source)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "import os.path",
        "from pathlib import Path",
        "import logging",
        "from urllib.request import urlopen",
        "import sqlalchemy.orm",
        "from time import monotonic",
        "import random",
        "from uuid import uuid4",
        "from email.utils import make_msgid",
        "from jinja2 import FileSystemLoader",
        "import email.utils\nx = email.utils.localtime",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.utcnow()",
        "from datetime import date\ndef f(): return date.today()",
        "def f(now): return now.astimezone()",
        "x = open('/etc/passwd')",
        "def f(): print(1)",
        "from zoneinfo import ZoneInfo\nx = ZoneInfo('Asia/Jakarta')",
        "from mmap import mmap\nx = mmap(0, 1)",
        "def f():\n    global x",
    ],
)
def test_a_planted_look_at_the_world_is_found_in_core(source: str) -> None:
    assert len(list(impurities(planted("loket.core.decide", source)))) == 1


def test_a_planted_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_what_the_wall_allows_is_not_found() -> None:
    allowed = "import time\nimport loket\nfrom loket.intake import MailboxIntake\nx = loket.__file__"
    assert list(wrong_arrows(planted("loket.watch", allowed))) == []
    assert (
        list(impurities(planted("loket.core.x", "import re\nx = re.compile('a')\ndef f(case): return case.now"))) == []
    )
