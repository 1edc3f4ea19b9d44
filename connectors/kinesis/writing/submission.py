"""What was submitted and is not answered yet, lane by lane."""

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field

from connectors.base import Batch, Clock, ConnectorError, Outcome, Rejected
from connectors.codecs.codec import Encode

_KEPT = 200_000
"""Records."""
_AWAY_S = 1800.0


class Submission:
    """One batch on its way. ``settled`` has a byte for each record: 0 until it has its outcome, then what it is."""

    __slots__ = ("answer", "batch", "encode", "lane", "left", "mean", "places", "rejected", "settled")

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
        self.places: list[str] | None = None

    def locate(self, index: int, place: str) -> None:
        """The record at ``index`` is at ``place``, and about to land."""
        if self.places is None:
            self.places = [""] * len(self.batch)
        self.places[index] = place

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

    def landed(self) -> set[str]:
        """The identities of what is durable."""
        identities = self.batch.identities
        return {identities[index] for index, state in enumerate(self.settled) if state == self.LANDED}

    def _finish(self) -> None:
        if not self.answer.done():
            self.answer.set_result(Outcome(tuple(sorted(self.rejected, key=_index)), self.places))
        self.lane.forget_answered()


class Lane:
    """The submissions of one lane between two breaks, or until they are withdrawn."""

    __slots__ = ("drained", "dropped", "failed", "name", "queued", "repeat_until", "submissions")

    def __init__(self, name: str) -> None:
        self.name = name
        self.submissions: deque[Submission] = deque()
        """From the oldest unanswered one on: those answered behind it are submitted again after a break, as it is."""
        self.queued = 0
        """Bytes that are in no entry yet, about."""
        self.failed = False
        self.dropped = False
        """Nothing more of it is to be sent, but for calls of which nobody knows what became of them."""
        self.repeat_until = math.inf
        """When these are given up too."""
        self.drained = asyncio.Event()
        """Set whenever something was taken out of its queue."""

    def forget_answered(self) -> None:
        """What is answered without a hole before it is never submitted again."""
        while self.submissions and not self.submissions[0].left and not self.failed:
            self.submissions.popleft()

    def drop(self, repeat_until: float) -> None:
        """It is withdrawn. What had no answer is repeated until then, by the clock of the writer."""
        self.dropped = True
        self.repeat_until = repeat_until
        self.drained.set()

    def fail(self, error: ConnectorError) -> None:
        """Answer all that is unanswered with ``error``, whatever becomes of it."""
        self.failed = True
        for submission in self.submissions:
            if not submission.answer.done():
                submission.answer.set_exception(error)


class Landings:
    """Records that are durable and will be submitted again: they are not written a second time.

    After a break a lane goes back to where it was answered without a hole. What is remembered of it is of use for as
    many records as it had submitted from there on, and forgotten then. Lanes that others took over do not come back:
    those that were away for long are forgotten, the oldest first, once much is remembered.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[str, _Memory] = {}
        """In the order in which they were remembered."""

    def remember(self, lane: Lane) -> None:
        """``lane`` ends, and none of its entries is under way."""
        memory = self._lanes.pop(lane.name, None) or _Memory()
        for submission in lane.submissions:
            memory.landed |= submission.landed()
            memory.records += len(submission.batch)
        if memory.landed:
            memory.since = self._clock.monotonic()
            self._lanes[lane.name] = memory
        self._forget_others()

    def among(self, lane: str, batch: Batch) -> list[int]:
        """The indexes of the records of ``batch``, now submitted, that are durable already. Tells each but once."""
        memory = self._lanes.get(lane)
        if memory is None:
            return []
        identities = batch.identities
        found = [index for index, identity in enumerate(identities) if identity in memory.landed]
        memory.landed.difference_update(identities[index] for index in found)
        memory.records -= len(batch)
        if not memory.landed or memory.records <= 0:
            del self._lanes[lane]
        return found

    def _forget_others(self) -> None:
        left = len(self)
        for name, memory in list(self._lanes.items()):
            if left <= _KEPT or memory.since > self._clock.monotonic() - _AWAY_S:
                return
            left -= len(memory.landed)
            del self._lanes[name]

    def __len__(self) -> int:
        """How many records are remembered."""
        return sum(len(memory.landed) for memory in self._lanes.values())


@dataclass(slots=True)
class _Memory:
    landed: set[str] = field(default_factory=set)
    """By their identities."""
    records: int = 0
    """How many records may be submitted before all of ``landed`` have been among them."""
    since: float = 0.0


def _index(rejected: Rejected) -> int:
    return rejected.index
