"""How much of a mailbox is held at once, and its mails in batches of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loket.ports import Listed

# Less than this at once is no help to any server.
LEAST_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is held at once: mails and octets of a batch, octets of a piece."""

    mails: int
    octets: int
    piece: int

    def narrowed(self, times: int) -> Bounds:
        """Less at once, for a server that breaks off in the middle of a large answer: a quarter each time."""
        share = 4**times
        return Bounds(
            max(1, self.mails // share),
            max(LEAST_PIECE, self.octets // share),
            max(LEAST_PIECE, min(self.piece, self.octets // share)),
        )

    def batches(self, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
        """The listing in batches, bounded in count and octets; a mail of more octets than that is one by itself."""
        batch: list[Listed] = []
        octets = 0
        for one in listed:
            if batch and (len(batch) >= self.mails or octets + one.size > self.octets):
                yield batch
                batch, octets = [], 0
            batch.append(one)
            octets += one.size
        if batch:
            yield batch


def chunks(items: Sequence[int], size: int) -> Iterator[list[int]]:
    """The items in lists of that size, the last one as long as it comes."""
    for at in range(0, len(items), size):
        yield list(items[at : at + size])
