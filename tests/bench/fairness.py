"""One mail to a mailbox while another mailbox's backlog is worked through: what the one has to wait for the other."""

import time
from collections.abc import Sequence

from tests.bench import corpus
from tests.bench.daemon import LOADED, bench_office, running
from tests.bench.mailbox import Delivery, empty, fill
from tests.bench.sink import Loop, TimingSink
from tests.servers import MailServers

# Its counter takes any subject, so that each mail is a request.
QUIET = "itkonsultasi@yahoo.com"


def measure(servers: MailServers, backlog: int, singles: int, own_delay: float) -> Sequence[float]:
    """Milliseconds from each delivery to its acknowledgement, beyond the server's own delay; the backlog is drained."""
    fill(servers, LOADED, corpus.small(backlog, 31, LOADED))
    empty(servers, QUIET)
    letters = list(corpus.small(singles, 32, QUIET))
    loop, sink, delivery = Loop(), TimingSink(), Delivery(servers)
    try:
        with bench_office() as office:
            office.set_up(servers.imap_port, loop.listen(sink.serve))
            with running(office) as daemon:
                daemon.wait_for("connected", 7, 20)
                deadline, waited = time.monotonic() + 60, []
                for letter in letters:
                    delivery.deliver(letter, QUIET)
                    began = time.time()
                    while letter.sender not in sink.accepted:
                        daemon.check(deadline, "acknowledgement beside a backlog")
                        time.sleep(0.005)
                    waited.append((sink.accepted[letter.sender] - began - own_delay) * 1000)
                if len(sink.accepted) >= backlog + singles:
                    raise RuntimeError("the backlog was through before the last single mail: take a larger one")
                return waited
    finally:
        delivery.close()
        loop.close()
        # The next daemon would take them in with what it is measured by.
        empty(servers, QUIET)
