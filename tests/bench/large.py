"""One mail of 150 MB: the daemon's own memory while it is taken in and answered."""

import base64
import random
import time

from tests.bench.corpus import Letter
from tests.bench.daemon import LOADED, bench_office, running
from tests.bench.mailbox import fill
from tests.bench.process import memory_mb
from tests.bench.sink import Loop, TimingSink
from tests.servers import MailServers

OCTETS = 110_000_000
SENDER = "besar@perusahaan.example"


def measure(servers: MailServers) -> float:
    """The most megabytes that are the daemon's own; pages of the stored file, which the kernel may drop, are not."""
    fill(servers, LOADED, [_letter()])
    loop, sink, most = Loop(), TimingSink(), 0.0
    try:
        with bench_office() as office:
            office.set_up(servers.imap_port, loop.listen(sink.serve))
            with running(office) as daemon:
                deadline = time.monotonic() + 120
                while SENDER not in sink.accepted:
                    daemon.check(deadline, "answer to a mail of 150 MB")
                    most = max(most, memory_mb(daemon.pid, "RssAnon"))
                    time.sleep(0.01)
            return most
    finally:
        loop.close()


def _letter() -> Letter:
    head = (
        f"From: {SENDER}\nTo: {LOADED}\nSubject: Ambil SK_OT_Jamu Besar\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=batas\n\n--batas\nContent-Type: text/plain\n\nTerlampir.\n--batas\n"
        "Content-Type: application/pdf; name=desain.pdf\nContent-Transfer-Encoding: base64\n"
        "Content-Disposition: attachment; filename=desain.pdf\n\n"
    )
    body = base64.encodebytes(random.Random(150).randbytes(OCTETS))
    return Letter(head.encode() + body + b"\n--batas--\n", SENDER)
