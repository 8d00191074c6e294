"""A private Courier (courier-imap) in a root folder of its own, copied from where install.sh unpacked it."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

from tests.servers.hosts import ASIDE, Doorkeeper, Guarded, require, welcome
from tests.servers.mailservers import HOST

_TOP = ASIDE / "courier"
_PROGRAMS = ("usr/sbin/couriertcpd", "usr/lib/courier/courier/imaplogin", "usr/bin/imapd", "usr/libexec/gam_server")
# What Debian's /etc/courier/imapd says, save that IDLE looks every second for what is new, not every minute.
_SETTINGS = {
    "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
    "IMAP_KEYWORDS": "1",
    "IMAP_ACL": "1",
    "IMAP_IDLE_TIMEOUT": "1",
    "IMAP_MAILBOX_SANITY_CHECK": "1",
    "IMAP_UMASK": "022",
    "IMAP_USELOCKS": "1",
    "IMAP_ENHANCEDIDLE": "0",
    "IMAP_TRASHFOLDERNAME": "Trash",
    "IMAP_EMPTYTRASH": "Trash:7",
}


class Courier(Guarded):
    """Started on construction; ServersUnavailable where it is not unpacked."""

    def __init__(self, smtp_port: int) -> None:
        """Lay out the root folder: where Courier asks who may log in, is written into its program."""
        for program in _PROGRAMS:
            require(_TOP / program)
        super().__init__(smtp_port)
        self._inside = self.root / "root"
        self._lay_out()
        self._door = Doorkeeper(self._inside / "run/courier/authdaemon/socket", self._answer)
        tcpd = ["/usr/sbin/couriertcpd", f"-address={HOST}", "-maxprocs=400", "-maxperip=400", "-nodnslookup"]
        self.run(
            *(shutil.which("chroot") or "chroot", self._inside),
            *(*tcpd, "-noidentlookup", str(self.imap_port)),
            *("/usr/lib/courier/courier/imaplogin", "/usr/bin/imapd", "Maildir"),
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": _libraries(Path("/")), **_SETTINGS},
        )

    def _lay_out(self) -> None:
        for name in ("dev", "etc", "mail", "tmp", "run/courier/authdaemon"):
            (self._inside / name).mkdir(parents=True)
        (self._inside / "tmp").chmod(0o1777)
        (self._inside / "dev/null").touch()
        # What watches folders for it asks for the user's name.
        shutil.copy2("/etc/passwd", self._inside / "etc")
        shutil.copytree(_TOP / "usr/lib", self._inside / "usr/lib", symlinks=True)
        for program in _PROGRAMS:
            (self._inside / program).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_TOP / program, self._inside / program)
        asked = ["ldd", *(str(_TOP / program) for program in _PROGRAMS)]
        needed = subprocess.run(
            asked, env={**os.environ, "LD_LIBRARY_PATH": _libraries(_TOP)}, capture_output=True, text=True, check=True
        ).stdout
        for library in set(re.findall(r"(?<!\S)(/\S+) \(0x", needed)):
            if not Path(library).is_relative_to(_TOP):
                to = self._inside / library.lstrip("/")
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(library, to)

    def deliver(self, raw: bytes, address: str) -> None:
        """As a delivery agent writes into a Maildir: whole before it is seen."""
        maildir = self._maildir(address)
        name = f"{secrets.token_hex(8)}.client.test"
        (maildir / "tmp" / name).write_bytes(raw)
        nobody = pwd.getpwnam("nobody")
        shutil.chown(maildir / "tmp" / name, nobody.pw_uid, nobody.pw_gid)
        (maildir / "tmp" / name).rename(maildir / "new" / name)

    def renew(self, address: str) -> None:
        """Another Maildir, whose first UIDVALIDITY Courier takes from a clock that counts seconds."""
        before = self._validity(address)
        shutil.rmtree(self._inside / "mail" / address)
        while self._validity(address) == before:
            time.sleep(0.1)

    def _validity(self, address: str) -> int:
        with self.session(address) as client:
            return int(client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"])

    def _maildir(self, user: str) -> Path:
        nobody = pwd.getpwnam("nobody")
        home = self._inside / "mail" / user
        for name in (".", "cur", "new", "tmp"):
            (home / name).mkdir(exist_ok=True)
            shutil.chown(home / name, nobody.pw_uid, nobody.pw_gid)
        return home

    def _answer(self, question: BinaryIO) -> bytes:
        """As authdaemond does: behind some lines of circumstances, AUTH and a length, then what the client said."""
        while line := question.readline():
            if line.startswith(b"AUTH "):
                _, _, user, password, *_ = question.read(int(line.split()[1])).decode().split("\n")
                if not welcome(user, password):
                    break
                self._maildir(user)
                nobody = pwd.getpwnam("nobody")
                ids = f"UID={nobody.pw_uid}\nGID={nobody.pw_gid}\n"
                return f"{ids}HOME=/mail/{user}\nMAILDIR=/mail/{user}\nADDRESS={user}\n.\n".encode()
        return b"FAIL\n"

    def stop(self) -> None:
        """End it."""
        self._door.close()
        super().stop()


def _libraries(top: Path) -> str:
    found = {path.parent.relative_to(_TOP) for path in (_TOP / "usr/lib").rglob("*.so.*")}
    return ":".join(str(top / path) for path in sorted(found))
