"""A private PostgreSQL: a Unix socket and a loopback port of its own, fsync on, one database for each test."""

import atexit
import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from loket.store.database import Database
from tests.servers.mailservers import HOST, ServersUnavailable

# What a URL must quote, so that an unquoted one shows.
DATABASE_PASSWORD = "p@ss:wo/rd%20#?"
OLDEST = 15
_ROLE = "loket"
_MIGRATED = "loket_migrated"
_HERE = Path(__file__).parent


@dataclass
class Postgres:
    """A running server; its role `loket` owns the databases it makes and is no superuser."""

    root: Path
    binaries: Path
    port: int
    _as: list[str]
    _guard: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)
    _template: bool = False

    @classmethod
    def start(cls) -> Self:
        """Start a server in about two seconds; ServersUnavailable where there is none to start."""
        binaries = _binaries()
        # Socket paths must stay under 108 bytes (unix(7)), so not below pytest's long folders.
        root = Path(tempfile.mkdtemp(prefix="lk-", dir="/tmp"))
        with socket.socket() as free:
            free.bind((HOST, 0))
            port = free.getsockname()[1]
        server = cls(root, binaries, port, _dropping_root(root))
        atexit.register(server.stop)
        try:
            server._make()
            server.up()
            with server.admin() as connection:
                made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(made.format(sql.Identifier(_ROLE), sql.Literal(DATABASE_PASSWORD)))
        except BaseException:
            server.stop()
            raise
        return server

    def stop(self) -> None:
        """End the server and remove its folder; a second call does nothing."""
        atexit.unregister(self.stop)
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait(30)
        shutil.rmtree(self.root, ignore_errors=True)

    def up(self) -> None:
        """Start it on the same port; returns once it answers."""
        options = f"-c port={self.port} -c listen_addresses={HOST} -c unix_socket_directories={self.root} -c fsync=on"
        # Fewer and smaller pieces than for a server that serves an office: these tests hold little at once.
        options += (
            " -c max_connections=60 -c shared_buffers=16MB -c max_wal_size=64MB -c recovery_init_sync_method=syncfs"
        )
        self._control("-w", "-t", "30", "-l", str(self.root / "log"), "-o", options, "start")

    def down(self) -> None:
        """Stop it as a power cut would: nobody is told, nothing is flushed, the next start recovers from the log."""
        self._control("-m", "immediate", "-w", "stop")

    @contextlib.contextmanager
    def admin(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        """A session of the superuser, each statement a transaction."""
        with psycopg.connect(
            host=str(self.root), port=self.port, user="postgres", dbname=database, autocommit=True
        ) as connection:
            yield connection

    def database(self, *, migrated: bool = False, encoding: str = "UTF8") -> str:
        """The URL of a database of its own: empty, or with the schema in it."""
        if migrated and not self._template:
            self._create(_MIGRATED, "template0", "UTF8")
            template = Database(self.url(_MIGRATED))
            template.migrate()
            template.close()
            self._template = True
        name = f"loket{next(self._numbers)}"
        # It goes when the server goes: dropping one takes a checkpoint, ten times as long as making it (8 MB).
        self._create(name, _MIGRATED if migrated else "template0", encoding)
        return self.url(name)

    def url(self, name: str, port: int | None = None) -> str:
        """A database's address, by TCP; `port` where something stands in between."""
        return f"postgresql+psycopg://{_ROLE}:{quote(DATABASE_PASSWORD, safe='')}@{HOST}:{port or self.port}/{name}"

    def log(self, lines: int = 20) -> str:
        """The last lines of the server's log, for the message of a failing test."""
        return "\n".join((self.root / "log").read_text(errors="replace").splitlines()[-lines:])

    def _create(self, name: str, template: str, encoding: str) -> None:
        made = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} ENCODING {} LOCALE 'C'").format(
            sql.Identifier(name), sql.Identifier(_ROLE), sql.Identifier(template), sql.Literal(encoding)
        )
        with self.admin() as connection:
            connection.execute(made)

    def _make(self) -> None:
        self.root.chmod(0o755)
        self._guard = subprocess.Popen(
            [_HERE / "guard-postgres.sh", self.root, self.binaries / "pg_ctl", *self._as],
            stdin=subprocess.PIPE,
            # Ctrl-C reaches the tests first, which take leave of a server that still runs.
            start_new_session=True,
        )
        # Local sessions are the tests' own superuser; by TCP a password is asked, as of a real daemon.
        self._run(
            *("initdb", "-D", str(self.root / "data"), "-U", "postgres", "-E", "UTF8", "--locale=C"),
            *("--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256"),
        )

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.root / "data"), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        # Into a file: a pipe would stay open as long as the server that was started from here.
        with (self.root / "console").open("a+") as console:
            done = subprocess.run(
                [*self._as, self.binaries / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd=self.root,
                check=False,
                timeout=60,
            )
            if done.returncode:
                console.seek(0)
                raise RuntimeError(f"{program}: exit {done.returncode}\n{console.read()[-3000:]}")


def _binaries() -> Path:
    # Debian keeps each version's programs apart and none of them on the PATH.
    found = {
        int(path.parent.parent.name): path.parent
        for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")
        if path.parent.parent.name.isdigit()
    }
    if not found or max(found) < OLDEST:
        raise ServersUnavailable(f"not installed: postgresql {OLDEST} or newer (tests/servers/install.sh installs it)")
    return found[max(found)]


def _dropping_root(root: Path) -> list[str]:
    """The command in front of each program, since PostgreSQL refuses to be root; for anybody else there is none."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise ServersUnavailable("not installed: setpriv, with which root starts PostgreSQL as somebody else")
    nobody = pwd.getpwnam("nobody")
    os.chown(root, nobody.pw_uid, nobody.pw_gid)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]
