"""One refresh for everybody who asks, in a file that nobody else can read, and never again after a no."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loket.config.login import Endpoints
from loket.oauth import tokens as module
from loket.oauth.server import Server
from loket.oauth.tokenfile import Grant, TokenFile
from loket.oauth.tokens import MailboxTokens
from loket.ports import NotLoggedIn
from tests.oauth.authority import CLIENT_ID, CLIENT_SECRET, SCOPE, Authority

HERE = "desain@office.test"


@pytest.fixture
def authority() -> Iterator[Authority]:
    """Where tokens come from."""
    with Authority(user=HERE) as made:
        yield made


@dataclass
class Holder:
    """A mailbox that is logged in, and a clock that the test sets."""

    folder: Path
    authority: Authority
    later: float = 0.0
    tokens: MailboxTokens = field(init=False)

    def __post_init__(self) -> None:
        self.file = TokenFile(self.folder / "tokens" / f"{HERE}.json")
        self.tokens = self.another()

    def another(self) -> MailboxTokens:
        """The same as another process has it."""
        endpoints = Endpoints(None, self.authority.at("token"), None, (SCOPE,))
        return MailboxTokens(HERE, self.file, lambda: Server(endpoints, CLIENT_ID, CLIENT_SECRET), self.now)

    def now(self) -> float:
        """Seconds since the login, on from a fixed day."""
        return 1_790_000_000 + self.later

    def log_in(self) -> str:
        """As `loket login` does; returns the access token."""
        issued = self.authority.issue(HERE)
        grant = Grant(issued.access, self.now() + 3600, 3600, issued.refresh or "", "2026-11-24T02:00:00+00:00")
        with self.file.lock(), self.file.writing() as draft:
            draft.keep(grant)
        return issued.access


@pytest.fixture
def holder(tmp_path: Path, authority: Authority) -> Holder:
    """Logged in just now."""
    made = Holder(tmp_path, authority)
    made.log_in()
    return made


def together(*calls: Any) -> list[Any]:
    """All at once, each in a thread; what each returned."""
    found: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        found[index] = calls[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


def test_a_token_that_is_good_is_used_until_five_minutes_before_its_end(holder: Holder, authority: Authority) -> None:
    first = holder.tokens.access()
    holder.later = 3299
    assert holder.tokens.access() == first
    assert authority.refreshes() == 0
    holder.later = 3301
    assert holder.tokens.access() != first
    assert authority.refreshes() == 1


def test_all_connections_and_processes_share_one_refresh(holder: Holder, authority: Authority) -> None:
    """Twelve ask at once, of two who know nothing of each other."""
    holder.later = 3500
    authority.delay = 0.3
    other = holder.another()
    found = together(*[holder.tokens.access] * 6, *[other.access] * 6)
    assert len(set(found)) == 1
    assert None not in found
    assert authority.refreshes() == 1


def test_another_process_that_refreshes_is_waited_for(holder: Holder, authority: Authority) -> None:
    """The lock is the file's, and goes with the process that has it."""
    holder.later = 3500
    lock = holder.file.path.with_name(f"{holder.file.path.name}.lock")
    script = (
        "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('has it', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "has it\n"
        asking = threading.Thread(target=holder.tokens.access)
        asking.start()
        asking.join(0.3)
        assert asking.is_alive()
        assert authority.refreshes() == 0
        process.kill()
        asking.join(10)
    assert authority.refreshes() == 1


def test_a_refused_token_is_exchanged_once_for_all_whom_it_was_refused(holder: Holder, authority: Authority) -> None:
    first = holder.tokens.access()
    holder.later = 600
    found = together(*[lambda: holder.tokens.access(first)] * 5)
    assert len(set(found)) == 1
    assert found[0] != first
    assert authority.refreshes() == 1


def test_a_refused_token_that_has_just_come_is_not_exchanged_again(holder: Holder, authority: Authority) -> None:
    """It is something else that is wrong, and the authorization server is left in peace."""
    first = holder.tokens.access()
    assert holder.tokens.access(first) == first
    assert authority.refreshes() == 0


def test_an_exchanged_refresh_token_is_on_the_disk_before_the_access_token_is_used(
    holder: Holder, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder.later = 3500
    before = json.loads(holder.file.path.read_text())
    access = holder.tokens.access()
    after = json.loads(holder.file.path.read_text())
    assert after["access"] == access
    assert (before["refresh"], after["refresh"]) == (authority.issued[0].refresh, authority.issued[1].refresh)
    assert after["login"] == before["login"]


def test_tokens_that_cannot_be_kept_are_not_asked_for(
    holder: Holder, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the exchanged refresh token would be lost, and the login with it."""
    holder.later = 3500

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("os.posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            holder.tokens.access()
    assert authority.refreshes() == 0
    assert holder.tokens.access() == authority.issued[-1].access
    assert [path.name for path in sorted(holder.file.path.parent.iterdir())] == [f"{HERE}.json", f"{HERE}.json.lock"]


def test_a_server_that_keeps_the_refresh_token_is_asked_with_it_again(tmp_path: Path) -> None:
    """Google's."""
    with Authority(user=HERE, rotates=False) as authority:
        holder = Holder(tmp_path, authority)
        holder.log_in()
        for hour in (1, 2, 3):
            holder.later = hour * 3600
            holder.tokens.access()
        assert authority.refreshes() == 3


def test_an_authorization_server_in_trouble_is_no_reason_to_log_in_again(
    holder: Holder, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder.later = 3500
    for status, text in ((503, "oops"), (429, "{}"), (400, '{"error": "temporarily_unavailable"}'), (200, "<html>")):
        authority.trouble = [(status, text)]
        with pytest.raises(ConnectionError):
            holder.another().access()
    authority.trouble = [(500, "oops")]
    asked = authority.refreshes()
    for _ in range(4):
        with pytest.raises(ConnectionError):
            holder.tokens.access()
    assert authority.refreshes() == asked + 1, "who comes soon after hears the same"
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    assert holder.another().access() == authority.issued[-1].access


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"error": "invalid_grant", "error_description": "Token has been revoked."}', "run `loket login"),
        ('{"error": "interaction_required"}', "run `loket login"),
        ('{"error": "invalid_client"}', "renew client_id or client_secret"),
    ],
)
def test_a_login_that_is_over_is_said_and_not_asked_for_again(
    holder: Holder, authority: Authority, answer: str, said: str
) -> None:
    holder.later = 3500
    authority.trouble = [(400, answer)] * 5
    for _ in range(3):
        with pytest.raises(NotLoggedIn, match=said) as over:
            holder.tokens.access()
        assert over.value.which == "2026-11-24T02:00:00+00:00"
    assert authority.refreshes() == 1
    authority.trouble = []
    holder.log_in()
    assert holder.tokens.access() == authority.issued[-1].access


def test_nobody_has_logged_in_yet(tmp_path: Path, authority: Authority) -> None:
    with pytest.raises(NotLoggedIn, match=f"not logged in yet: run `loket login {HERE}`"):
        Holder(tmp_path, authority).tokens.access()


def test_a_clock_that_was_set_back_brings_no_token_past_its_end(holder: Holder, authority: Authority) -> None:
    holder.later = -7200
    holder.tokens.access()
    assert authority.refreshes() == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(holder: Holder, mode: int) -> None:
    holder.file.path.chmod(mode)
    with pytest.raises(NotLoggedIn, match=f"mode {mode:o}.*chmod 600"):
        holder.tokens.access()


def test_a_folder_that_others_can_write_to_is_refused(holder: Holder) -> None:
    holder.file.path.parent.chmod(0o777)
    with pytest.raises(NotLoggedIn, match="chmod 700"):
        holder.tokens.access()


def test_a_link_in_place_of_the_file_is_not_followed(holder: Holder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    holder.file.path.rename(elsewhere)
    holder.file.path.symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic links"):
        holder.tokens.access()


def test_a_file_that_is_no_tokens_is_said_without_its_content(holder: Holder) -> None:
    holder.file.path.write_text('{"access": "geheim"')
    with pytest.raises(NotLoggedIn, match="log in again") as said:
        holder.tokens.access()
    assert "geheim" not in str(said.value)


def test_what_is_written_is_private_whatever_the_umask(holder: Holder) -> None:
    assert holder.file.path.stat().st_mode & 0o777 == 0o600
    assert holder.file.path.parent.stat().st_mode & 0o777 == 0o700


def test_no_token_stands_in_what_a_log_would_show_of_it(holder: Holder) -> None:
    grant = holder.file.read()
    assert grant is not None
    assert grant.access not in repr(grant)
    assert grant.refresh not in repr(grant)
    assert CLIENT_SECRET not in repr(holder.tokens.server())


def test_what_only_a_refresh_needs_is_not_in_memory_before_one() -> None:
    script = (
        "import loket.app, loket.cli.main, sys; print(*{'oauthlib', 'http.server', 'webbrowser'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
