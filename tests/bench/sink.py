"""Where replies go: Postfix's smtp-sink to count many, and a sink of our own to time each."""

import asyncio
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.process import free_port, stop, tied


@dataclass(slots=True)
class CountingSink:
    """A running smtp-sink."""

    port: int
    _counters: Path

    def count(self) -> int:
        """How many mails it has accepted."""
        with self._counters.open("rb") as file:
            file.seek(max(0, self._counters.stat().st_size - 100))
            # One line of counters ends in a carriage return and stands for the next to come.
            lines = file.read().split(b"\r")
        whole = [line for line in lines[:-1] if b"mesg=" in line]
        return int(whole[-1].rpartition(b"mesg=")[2]) if whole else 0


@contextmanager
def counting_sink() -> Iterator[CountingSink]:
    """Run smtp-sink as nobody; it offers AUTH and then says 250 where 235 belongs, so without."""
    with tempfile.TemporaryDirectory(prefix="lk-sink-") as folder:
        counters, port = Path(folder) / "counters", free_port()
        nobody = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        with counters.open("wb") as out:
            process = subprocess.Popen(
                tied(["smtp-sink", "-a", "-c", f"127.0.0.1:{port}", "256"], *nobody),
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            _await(port, process)
            yield CountingSink(port, counters)
        finally:
            stop(process)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.recv(100)
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("smtp-sink does not answer")


@dataclass(slots=True)
class TimingSink:
    """Notes when the mail to each recipient was accepted, by `time.time`."""

    accepted: dict[str, float] = field(default_factory=dict)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One SMTP session (RFC 5321), without an opinion on anything."""
        writer.write(b"220 bench.test ESMTP\r\n")
        try:
            await self._talk(reader, writer)
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-bench.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n")
            elif verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
                writer.write(b"250 2.1.5 Ok\r\n")
            elif verb == b"DATA":
                writer.write(b"354 Go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 2.0.0 Ok\r\n")
                self.accepted[recipient] = time.time()
            elif verb == b"QUIT":
                writer.write(b"221 2.0.0 Bye\r\n")
                break
            else:
                writer.write(b"250 2.0.0 Ok\r\n")


class Loop:
    """An event loop in a thread of its own, for the bench's servers."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def listen(self, serve: object) -> int:
        """Serve connections on a free loopback port; returns it."""

        async def start() -> int:
            server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 24)  # type: ignore[arg-type]
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        return asyncio.run_coroutine_threadsafe(start(), self.loop).result(10)

    def close(self) -> None:
        """End the loop with all that runs in it."""

        async def end() -> None:
            for server in self._servers:
                server.close()
            running = asyncio.all_tasks() - {asyncio.current_task()}
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()
