"""What was submitted and is not answered yet, lane by lane."""

import asyncio
from collections.abc import Mapping

from connectors.base import Batch, ConnectorError, Outcome, Position, Rejected
from connectors.codecs.codec import Encode


class Submission:
    """One batch on its way. ``settled`` has a byte for each record: 0 until it has its outcome, then what it is."""

    __slots__ = ("answer", "batch", "encode", "lane", "left", "mean", "rejected", "settled")

    LANDED = 1
    REJECTED = 2

    def __init__(self, lane: "Lane", batch: Batch, encode: Encode, answer: asyncio.Future[Outcome]) -> None:
        self.lane = lane
        self.batch = batch
        self.encode = encode
        self.answer = answer
        self.settled = bytearray(len(batch))
        self.left = len(batch)
        self.mean = batch.size // max(1, len(batch)) + 1
        """Bytes of a record, about."""
        self.rejected: list[Rejected] = []

    def land(self, index: int) -> None:
        """The record at ``index`` is durable."""
        self.settled[index] = self.LANDED
        self.left -= 1
        if not self.left:
            self._finish()

    def reject(self, index: int, reason: str, detail: str) -> None:
        """The record at ``index`` never will be."""
        self.rejected.append(Rejected(index, reason, detail))
        self.settled[index] = self.REJECTED
        self.left -= 1
        if not self.left:
            self._finish()

    def landed(self) -> set[Position]:
        """The positions that are durable."""
        positions = self.batch.positions
        return {positions[index] for index, state in enumerate(self.settled) if state == self.LANDED}

    def _finish(self) -> None:
        self.lane.submissions.pop(self, None)
        if not self.answer.done():
            self.answer.set_result(Outcome(tuple(sorted(self.rejected, key=_index))))


class Lane:
    """The submissions of one lane between two breaks, or until they are withdrawn."""

    __slots__ = ("drained", "dropped", "name", "on_wire", "queued", "submissions")

    def __init__(self, name: str) -> None:
        self.name = name
        self.submissions: dict[Submission, None] = {}
        self.queued = 0
        """Bytes that are in no entry yet, about."""
        self.on_wire = 0
        """Entries of which nobody knows yet what became of them."""
        self.dropped = False
        """Nothing more of it is to be sent."""
        self.drained = asyncio.Event()
        """Set whenever something is taken out of its queue."""

    def take(self, size: int) -> None:
        """About ``size`` bytes of the queue are in an entry now."""
        self.queued -= size
        self.drained.set()

    def fail(self, error: ConnectorError) -> None:
        """Answer all that is unanswered with ``error``."""
        for submission in self.submissions:
            if not submission.answer.done():
                submission.answer.set_exception(error)


class Landings:
    """Positions that are durable though their submissions were never answered: not to be written a second time.

    A lane reads again from its last answered place and submits the same records again, so what is remembered of it is
    of use for as many records as were unanswered, and forgotten then.
    """

    def __init__(self) -> None:
        self._landed: dict[str, set[Position]] = {}
        self._expected: dict[str, int] = {}

    def remember(self, lane: Lane) -> None:
        """``lane`` ends with submissions unanswered, none of which has an entry under way."""
        unanswered = sum(len(submission.batch) for submission in lane.submissions)
        landed = self._landed.pop(lane.name, set())
        for submission in lane.submissions:
            landed |= submission.landed()
        self._expected[lane.name] = max(unanswered, self._expected.pop(lane.name, 0))
        if landed:
            self._landed[lane.name] = landed

    def among(self, lane: str, batch: Batch) -> list[int]:
        """The indexes of the records of ``batch``, now submitted, that are durable already. Tells each but once."""
        landed = self._landed.get(lane)
        if landed is None:
            return []
        found = [index for index, position in enumerate(batch.positions) if position in landed]
        landed.difference_update(batch.positions[index] for index in found)
        self._expected[lane] -= len(batch)
        if not landed or self._expected[lane] <= 0:
            del self._landed[lane], self._expected[lane]
        return found

    def counts(self) -> Mapping[str, int]:
        """How many positions are remembered of each lane."""
        return {lane: len(landed) for lane, landed in self._landed.items()}


def _index(rejected: Rejected) -> int:
    return rejected.index
