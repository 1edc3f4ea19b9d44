"""A stretch of a partition that an operator lets a lane pass without mirroring it."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from bridge.engine.bounded import BoundedSource
from bridge.errors import BridgeError
from connectors.base import Budget, End, Partition, Place, Position, Source

OPERATOR = "operator"
"""The reason with which records are counted that an operator skipped."""


class OrderError(BridgeError):
    """What an operator told a lane to do cannot be done as things are. Nothing was changed, or the hint says: look."""


class UnknownLaneError(OrderError):
    """There is no such lane in this process."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What was not mirrored, both ends included, for a person and for the log."""

    lost_from: str
    lost_to: str
    records: int | None
    """How many; None where nobody can tell."""
    cause: str
    behind: Position | None
    """Where the lane goes on."""


class Passing:
    """An order to pass everything up to ``end``, and the promise of an answer."""

    def __init__(self, end: End, cause: str) -> None:
        """``cause`` is why, for the checkpoint and for people."""
        self.end = end
        self.cause = cause
        self.answer: asyncio.Future[Passed] = asyncio.get_running_loop().create_future()

    def succeed(self, passed: Passed) -> None:
        """After another answer, or where nobody waits any more, it does nothing."""
        if not self.answer.done():
            self.answer.set_result(passed)

    def refuse(self, error: Exception) -> None:
        """As ``succeed``."""
        if not self.answer.done():
            self.answer.set_exception(error)


async def passed_over(
    source: Source, partition: Partition, start: Place, end: End, budget: Budget, cause: str
) -> tuple[Place, Passed]:
    """Read from ``start`` to ``end`` and drop it; the place behind, and what that was.

    Read and not leapt over: so it is known how much it is, that the end exists, and that it lies ahead. Raises
    ``OrderError`` where it does not, and as ``Source.read``.
    """
    bounded, operation = BoundedSource(source), f"skip in {partition.id}"
    if end.position is not None and source.rank(end.position) <= source.rank(start.position):
        raise OrderError(operation, f"the lane stands at {start.position}, at or behind {end.position}", _AHEAD)
    bounded.bounds[partition.id] = end
    count, first, place, is_met = 0, "", start, False
    async with aclosing(bounded.read(partition, start, budget)) as batches:
        async for batch in batches:
            batch.release()
            if len(batch):
                first = first or batch.positions[0]
                count, place = count + len(batch), batch.place
            if (is_met := batch.is_last) or batch.lag_ms == 0:
                break
            del batch
    if end.position is not None and not is_met:
        raise OrderError(operation, f"{end.position} is still to come", "--until now ends with what is there")
    if not count:
        raise OrderError(operation, "no record up to that end is left: there is nothing to skip", _AHEAD)
    return place, Passed(first, str(place.position), count, cause, place.position)


_AHEAD = "a lane never moves backward; kmbridge replay sends a range again"
