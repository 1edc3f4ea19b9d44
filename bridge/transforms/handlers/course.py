"""One batch on its way through a handler: what is asked next, and what became of each record."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.engine.policy import OnError
from bridge.transforms.columns import with_values
from bridge.transforms.filter import FILTER
from bridge.transforms.handlers.fate import Dropped, Failed, Fate, Kept
from bridge.transforms.handlers.shape import Shape
from connectors.base import Batch, Position, Rejected
from connectors.counted import counted
from connectors.transform import Transformed

LARGEST_EVENT = 6 * 1024 * 1024
"""Bytes that one synchronous call may have (Lambda quotas: invocation payload)."""

HANDLER = "handler"
"""The reason of records for which the handler raises, or which it names as failed, each time it is asked."""
TOO_LARGE = "too_large"
BEHIND = "behind"

_ENVELOPE = 1024
"""Bytes of an event around its records, and more than that."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How a handler is called."""

    records: int
    """The most of one call."""
    attempts: int
    """How often one record is tried before it goes by ``on_error``."""
    on_error: OnError
    largest_event: int = LARGEST_EVENT


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler is to be asked: of the records at ``indexes``."""

    indexes: range
    event: bytes


class Course:
    """Goes over the records in their order, and never past one of which nothing is known yet.

    A handler that fails without saying at which record is asked again with half as many, down to one: what stands
    before the one to blame is done by then. Under ``on_error: stop`` nothing behind a record that has failed for good
    is asked.
    """

    def __init__(self, batch: Batch, shape: Shape, terms: Terms) -> None:
        self._batch = batch
        self._shape = shape
        self._terms = terms
        self._fates: list[Fate] = []
        self._most = terms.records
        self._tries = 0

    @property
    def position(self) -> Position:
        """Of the first record of which nothing is known yet; there is one."""
        return self._batch.positions[len(self._fates)]

    def next(self) -> Call | None:
        """What to ask now; None when all is known."""
        while len(self._fates) < len(self._batch):
            if self._terms.on_error is OnError.STOP and self._fates and isinstance(self._fates[-1], Failed):
                self._leave_rest()
            elif (call := self._call()) is not None:
                return call
            else:
                self._fates.append(Failed(TOO_LARGE, f"as an event more than {self._terms.largest_event} bytes"))
        return None

    def answered(self, call: Call, fates: Sequence[Fate]) -> float:
        """The handler said this of the first records of ``call``. Seconds to wait before the next one."""
        self._most = min(self._terms.records, 2 * self._most)
        if fates:
            self._tries = 0
            self._take(fates)
        return 0.0 if len(fates) == len(call.indexes) else self._failed_again("named in its batchItemFailures")

    def failed(self, call: Call, cause: str) -> float:
        """The handler said nothing of the records of ``call``. Seconds to wait before the next one."""
        if len(call.indexes) > 1:
            self._most = len(call.indexes) // 2
            return 0.0
        return self._failed_again(cause)

    def transformed(self) -> Transformed:
        """What goes on, when all is known."""
        kept = {index: fate.value for index, fate in enumerate(self._fates) if isinstance(fate, Kept)}
        dropped = sum(isinstance(fate, Dropped) for fate in self._fates)
        rejected = tuple(
            Rejected(index, fate.reason, fate.detail)
            for index, fate in enumerate(self._fates)
            if isinstance(fate, Failed)
        )
        batch = self._batch if len(kept) == len(self._batch) else self._batch.pick(list(kept))
        return Transformed(with_values(batch, list(kept.values())), {FILTER: dropped} if dropped else {}, rejected)

    def _call(self) -> Call | None:
        """As many records as one call takes; None where the first alone is too much."""
        first = len(self._fates)
        entries: list[bytes] = []
        room = self._terms.largest_event - _ENVELOPE
        for index in range(first, min(len(self._batch), first + self._most)):
            entry = self._shape.entry(self._batch, index)
            room -= len(entry) + 1
            if room < 0:
                break
            entries.append(entry)
        return Call(range(first, first + len(entries)), self._shape.event(entries)) if entries else None

    def _take(self, fates: Sequence[Fate]) -> None:
        """Up to the first that failed, where nothing behind that one is to be dealt with."""
        for fate in fates:
            self._fates.append(fate)
            if self._terms.on_error is OnError.STOP and isinstance(fate, Failed):
                return

    def _failed_again(self, cause: str) -> float:
        self._tries += 1
        if self._tries < self._terms.attempts:
            return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (self._tries - 1))
        self._fates.append(Failed(HANDLER, f"{cause}, {counted(self._tries, 'time')}"))
        self._tries = 0
        return 0.0

    def _leave_rest(self) -> None:
        behind = Failed(BEHIND, "not asked for, behind one that failed")
        self._fates += [behind] * (len(self._batch) - len(self._fates))
