"""How a function of the user's own is called.

An async one runs in the event loop. One that is not has a thread of its own, so that the mirror goes on while it works
or waits; that makes one call at a time.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import islice

from bridge.coordination.leavable_thread import LeavableThread
from bridge.transforms.answers import Answer, MisplacedError, of_batch, of_record
from bridge.transforms.function import TryAgainError
from bridge.transforms.patience import Patience
from connectors.base import ConnectorError, Record, RefusedError

_SLICE_S = 0.02
"""So long the thread works for one lane, as far as the function lets it, before it is another's turn."""

_NOT_THE_RECORDS = (TryAgainError, ConnectorError)
"""What is raised for another reason than a record."""


class Calls(ABC):
    """All calls of one function."""

    @abstractmethod
    async def answers(self, records: Sequence[Record]) -> Sequence[Answer]:
        """What the function makes of each of ``records``. Raises ``TryAgainError``, and ``ConnectorError``: also where
        one call takes too long.
        """


class RecordCalls(Calls):
    """Of a function that is given a record, in a thread."""

    def __init__(self, function: Callable[[Record], object], thread: LeavableThread, patience: Patience) -> None:
        self._function = function
        self._thread = thread
        self._patience = patience

    async def answers(self, records: Sequence[Record]) -> Sequence[Answer]:
        found: list[Answer] = []
        while len(found) < len(records):
            some = asyncio.wrap_future(self._thread.submit(partial(self._some, records, len(found))))
            found.extend(await self._patience.wait(some))
        return found

    def _some(self, records: Sequence[Record], first: int) -> list[Answer]:
        """Of the records from the one at ``first`` on, as many as there is time for, at least one."""
        until_s = time.monotonic() + _SLICE_S
        found: list[Answer] = []
        for record in islice(records, first, None):
            found.append(self._answer(record))
            if time.monotonic() > until_s:
                break
        return found

    def _answer(self, record: Record) -> Answer:
        try:
            return of_record(record, self._function(record))
        except _NOT_THE_RECORDS:
            raise
        except Exception as error:  # noqa: BLE001 - it is the user's, and an answer as good as another
            return error


class AwaitedRecordCalls(Calls):
    """Of an async function that is given a record."""

    def __init__(self, function: Callable[[Record], Awaitable[object]], patience: Patience) -> None:
        self._function = function
        self._patience = patience

    async def answers(self, records: Sequence[Record]) -> Sequence[Answer]:
        found: list[Answer] = []
        async with self._patience.for_each() as answered:
            for record in records:
                found.append(await self._answer(record))
                answered()
        return found

    async def _answer(self, record: Record) -> Answer:
        try:
            return of_record(record, await self._function(record))
        except _NOT_THE_RECORDS:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return error


class BatchCalls(Calls):
    """Of a function that is given several records."""

    def __init__(self, function: Callable[[Sequence[Record]], Awaitable[object]], patience: Patience) -> None:
        self._function = function
        self._patience = patience

    async def answers(self, records: Sequence[Record]) -> Sequence[Answer]:
        """In halves where the function raises, and halves of these, until it is known which records it raises for."""
        try:
            return of_batch(records, await self._patience.wait(self._function(records)))
        except _NOT_THE_RECORDS:
            raise
        except MisplacedError as error:
            hint = "records go on in the order in which they were given, each with its position"
            raise RefusedError(f"transform by {self._patience.step}", str(error), hint) from error
        except Exception as error:  # noqa: BLE001 - as above
            if len(records) == 1:
                return [error]
        half = len(records) // 2
        return [*await self.answers(records[:half]), *await self.answers(records[half:])]


async def in_thread(
    function: Callable[[Sequence[Record]], Iterable[object]], thread: LeavableThread, records: Sequence[Record]
) -> object:
    """``function`` called in ``thread``, to the end of what it returns."""
    answer = thread.submit(partial(_exhausted, function, records))
    return await asyncio.wrap_future(answer)


def _exhausted(function: Callable[[Sequence[Record]], object], records: Sequence[Record]) -> object:
    answer = function(records)
    # A generator works while it is read.
    return list(answer) if isinstance(answer, Iterable) else answer
