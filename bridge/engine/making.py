"""What a lane makes of its batches before the sink gets them."""

from collections import Counter
from dataclasses import replace

from bridge.engine.crossing import Crossing
from bridge.engine.policy import Policy
from bridge.engine.sieve import Sieve
from bridge.engine.surroundings import Surroundings
from connectors import provenance
from connectors.base import RECORD_OVERHEAD, Batch, ConnectorError, TransientError

SLOW_S = 10.0
"""Of a transform that takes so long it is told."""


class Making:
    """One lane's. Its batches are made in their order, one after the other."""

    def __init__(self, sieve: Sieve, around: Surroundings) -> None:
        self._sieve = sieve
        self._around = around
        self._owed: tuple[str, float] | None = None
        """The partition, and when the transform was given a batch of it; None while it owes nothing."""

    async def made_of(self, batch: Batch) -> Crossing:
        """What crosses of ``batch``, the next of the lane, less what must not be written. Raises what transforms do."""
        read = self._sieve.sift(batch)
        transform = self._around.transform
        if transform is None or not len(read):
            read = self._sieve.strain(read)
            return Crossing(read, self.named(read))
        self._owed = (batch.partition, self._around.clock.monotonic())
        try:
            transformed = await transform.apply(read)
        finally:
            self._owed = None
        _account(read, transformed.batch)
        skipped = Counter(read.skipped) + Counter(transformed.dropped)
        # Named while all parts of each record are there.
        made = self._sieve.strain(self.named(replace(transformed.batch, skipped=skipped)))
        return Crossing(read, made, transformed.rejected)

    def named(self, batch: Batch) -> Batch:
        """As ``named``, between the lane's ends."""
        return named(batch, self._around.policy, self._around.source.address, self._around.destination.address)

    @property
    def stall(self) -> ConnectorError | None:
        """Why nothing goes on, where a transform has not answered for some time."""
        transform = self._around.transform
        if transform is None or self._owed is None:
            return None
        partition, since_s = self._owed
        if self._around.clock.monotonic() - since_s < SLOW_S:
            return None
        step = transform.at_work(partition)
        return TransientError(f"transform by {step}", f"at one batch for more than {SLOW_S:.0f} s")


def named(batch: Batch, policy: Policy, source: str, sink: str) -> Batch:
    """``batch`` with what tells of each record where it comes from, and why, as ``policy`` has it.

    ``source`` and ``sink`` are addresses.
    """
    if policy.provenance:
        batch = provenance.stamp(batch, source, sink)
    return batch if policy.replay is None else provenance.marked(batch, policy.replay)


def _account(read: Batch, made: Batch) -> None:
    """Have the budget know of what ``made`` takes beyond ``read``, which is its share: reading on waits for that."""
    more = made.size - read.size + RECORD_OVERHEAD * (len(made) - len(read))
    if read.reservation is not None and more > 0:
        read.reservation.grow(more)
