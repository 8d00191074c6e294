"""A private Cyrus (cyrus-imapd), run from where install.sh unpacked it."""

from __future__ import annotations

import os
import pwd
import shutil
import smtplib
import struct
from pathlib import Path
from typing import BinaryIO

from tests.servers.hosts import ASIDE, Doorkeeper, Guarded, require, welcome
from tests.servers.mailservers import HOST

_TOP = ASIDE / "cyrus"
_PROGRAMS = _TOP / "usr/lib/cyrus/bin"

# Folders lie below INBOX, as Debian ships it (altnamespace), and a user is made when somebody logs in.
_IMAPD = """
configdirectory: {root}/conf
proc_path: {root}/run/proc
mboxname_lockpath: {root}/run/lock
defaultpartition: default
partition-default: {root}/spool
altnamespace: no
unixhierarchysep: yes
virtdomains: userid
defaultdomain: localhost
admins: cyrus
cyrus_user: nobody
cyrus_group: nogroup
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {root}/mux
sasl_mech_list: PLAIN LOGIN
failedloginpause: 0
autocreate_quota: 0
autocreate_post: yes
delete_mode: immediate
duplicatesuppression: no
maxlogins_per_host: 0
idlesocket: {root}/run/idle
lmtpsocket: {root}/run/lmtp
"""
_CYRUS = """
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {root}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{programs}/imapd -C {root}/imapd.conf" listen="{host}:{port}" prefork=2
  lmtp cmd="{programs}/lmtpd -C {root}/imapd.conf" listen="{root}/run/lmtp" prefork=1
}}
DAEMON {{
  idled cmd="{programs}/idled -C {root}/imapd.conf"
}}
"""


class Cyrus(Guarded):
    """Started on construction, in about a second; ServersUnavailable where it is not unpacked."""

    def __init__(self, smtp_port: int) -> None:
        """Write its configuration and run it as the system user nobody."""
        require(_PROGRAMS / "master")
        # It waits for the disk after every mail and has no setting for that; the machine does not lose power in a test.
        super().__init__(smtp_port, "/dev/shm" if Path("/dev/shm").is_dir() else "/tmp")
        nobody = pwd.getpwnam("nobody")
        for name in ("conf", "conf/socket", "spool", "run"):
            (self.root / name).mkdir()
            shutil.chown(self.root / name, nobody.pw_uid, nobody.pw_gid)
        words = {"root": self.root, "programs": _PROGRAMS, "host": HOST, "port": self.imap_port}
        (self.root / "imapd.conf").write_text(_IMAPD.format(**words))
        (self.root / "cyrus.conf").write_text(_CYRUS.format(**words))
        self._door = Doorkeeper(self.root / "mux", _answer)
        libraries = next((_TOP / "usr/lib").glob("*/libcyrus.so.0")).parent
        master = [_PROGRAMS / "master", "-D", "-C", self.root / "imapd.conf", "-M", self.root / "cyrus.conf"]
        self.run(*master, "-p", self.root / "pid", env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(libraries)})

    def deliver(self, raw: bytes, address: str) -> None:
        """By LMTP."""
        with smtplib.LMTP(str(self.root / "run/lmtp"), local_hostname="client.test", timeout=60) as client:
            client.sendmail("x@y.test", [address], raw)

    def renew(self, address: str) -> None:
        """The administrator deletes the user's mailboxes, and the next login makes them."""
        with self.session("cyrus") as admin:
            admin.setacl(f"user/{address}", "cyrus", "lrswipkxtecda")
            admin.delete_folder(f"user/{address}")

    def stop(self) -> None:
        """End it."""
        self._door.close()
        super().stop()


def _answer(question: BinaryIO) -> bytes:
    """As saslauthd does: user, password, service and realm come with their lengths, and so goes the verdict."""
    user, password, _, _ = (question.read(struct.unpack("!H", question.read(2))[0]).decode() for _ in range(4))
    verdict = b"OK" if welcome(user, password) else b"NO"
    return struct.pack("!H", len(verdict)) + verdict
