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

from bridge.transforms.answers import Answer, MisplacedError, of_batch, of_record
from bridge.transforms.function import TryAgainError
from bridge.transforms.patience import Patience
from bridge.transforms.turns import Turns
from connectors.base import ConnectorError, Record, RefusedError

_SLICE_S = 0.02
"""So long the thread works for one lane, as far as the function lets it, before it is another's turn."""

_NOT_THE_RECORDS = (TryAgainError, ConnectorError)
"""What is raised for another reason than a record."""

_ENDING = (SystemExit, asyncio.CancelledError)
"""What an async function may raise, and the process or its task would end."""


class Calls(ABC):
    """All calls of one function."""

    @abstractmethod
    async def answers(self, records: Sequence[Record]) -> Sequence[Answer]:
        """What the function makes of each of ``records``. Raises ``TryAgainError``, and ``ConnectorError``: also where
        one call takes too long.
        """


class RecordCalls(Calls):
    """Of a function that is given a record, in a thread."""

    def __init__(self, function: Callable[[Record], object], turns: Turns) -> None:
        self._function = function
        self._turns = turns

    async def answers(self, records: Sequence[Record]) -> Sequence[Answer]:
        found: list[Answer] = []
        while len(found) < len(records):
            found.extend(await self._turns.call(partial(self._some, records, len(found))))
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
        except BaseException as error:  # noqa: BLE001 - it is the user's, and an answer as good as another
            return _as_error(error)


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
        except (Exception, *_ENDING) as error:
            if _is_cancelled(error):
                raise
            return _as_error(error)


class BatchCalls(Calls):
    """Of a function that is given several records."""

    def __init__(self, function: Callable[[Sequence[Record]], Awaitable[object]], step: str) -> None:
        """``function`` is ``in_thread`` or ``in_loop``, for the step of that name."""
        self._function = function
        self._step = step

    async def answers(self, records: Sequence[Record]) -> Sequence[Answer]:
        """In halves where the function raises, and halves of these, until it is known which records it raises for."""
        try:
            return of_batch(records, await self._function(records))
        except _NOT_THE_RECORDS:
            raise
        except MisplacedError as error:
            hint = "records go on in the order in which they were given, each with its position"
            raise RefusedError(f"transform by {self._step}", str(error), hint) from error
        except Exception as error:  # noqa: BLE001 - as above
            if len(records) == 1:
                return [error]
        half = len(records) // 2
        return [*await self.answers(records[:half]), *await self.answers(records[half:])]


async def in_thread(function: Callable[[Sequence[Record]], object], turns: Turns, records: Sequence[Record]) -> object:
    """``function`` called in a thread, to the end of what it returns."""
    return await turns.call(partial(_exhausted, function, records))


def _exhausted(function: Callable[[Sequence[Record]], object], records: Sequence[Record]) -> object:
    try:
        answer = function(records)
        # A generator works while it is read.
        return list(answer) if isinstance(answer, Iterable) else answer
    except BaseException as error:  # noqa: BLE001 - as above
        raise _as_error(error) from None


async def in_loop(
    function: Callable[[Sequence[Record]], Awaitable[object]], patience: Patience, records: Sequence[Record]
) -> object:
    """``function`` awaited."""
    try:
        return await patience.wait(function(records))
    except _ENDING as error:
        if _is_cancelled(error):
            raise
        raise _as_error(error) from None


def _is_cancelled(error: BaseException) -> bool:
    """Whether it is this task that is being cancelled, and not something of the function's own."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _as_error(error: BaseException) -> Exception:
    """``error`` as one like any other: some kinds would end the process or the lane, or be lost on the way."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    told = f"{type(error).__name__}: {error}"
    return RuntimeError(told).with_traceback(error.__traceback__)
