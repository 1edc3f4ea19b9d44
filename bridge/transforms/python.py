"""A step that is a function of the user's own."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from bridge.leavable_thread import LeavableThread
from bridge.transforms.answers import Answer, told
from bridge.transforms.calls import AwaitedRecordCalls, BatchCalls, Calls, RecordCalls, in_loop, in_thread
from bridge.transforms.columns import rebuilt, records_of
from bridge.transforms.filter import FILTER
from bridge.transforms.function import TryAgainError
from bridge.transforms.loading import is_async, load
from bridge.transforms.patience import Patience
from bridge.transforms.turns import Turns
from bridge.transforms.unfit import MENDED
from connectors.base import Batch, Record, Rejected, TransientError
from connectors.transform import Transform, Transformed

REJECTED = "transform"


@dataclass(frozen=True, slots=True)
class PythonSettings:
    function: str
    """``MODULE:FUNCTION``."""
    takes: Literal["record", "batch"] = "record"
    """What one call is given."""
    folder: Path = Path()
    """Where the module is looked for first."""
    timeout_s: float = 30.0
    """How long one call may take."""


class PythonStep(Transform):
    """Calls the function, which it finds when it is entered. The function sees records and nothing of the mirror."""

    def __init__(self, settings: PythonSettings) -> None:
        self._settings = settings
        self._thread: LeavableThread | None = None
        self._calls: Calls | None = None

    @property
    def name(self) -> str:
        return f"python {self._settings.function}"

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._thread = thread = LeavableThread(self.name)
        try:
            function = await asyncio.wrap_future(thread.submit(partial(load, settings.function, settings.folder)))
        except BaseException:
            thread.end()
            raise
        self._calls = calls_of(function, settings, thread)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Does not wait for a function that is at work."""
        if self._thread is not None:
            self._thread.end()

    async def apply(self, batch: Batch) -> Transformed:
        assert self._calls is not None  # noqa: S101 - it is entered
        records = records_of(batch)
        try:
            answers = await self._calls.answers(records)
        except TryAgainError as error:
            raise TransientError(f"transform by {self.name}", str(error) or "it asked to be called again") from error
        return self._transformed(batch, records, answers)

    def _transformed(self, batch: Batch, records: Sequence[Record], answers: Sequence[Answer]) -> Transformed:
        made: list[tuple[int, Record]] = []
        rejected: list[Rejected] = []
        dropped = 0
        for index, answer in enumerate(answers):
            if isinstance(answer, Exception):
                rejected.append(Rejected(index, REJECTED, f"{self.name}: {told(answer)}", MENDED))
            elif answer:
                made += [(index, record) for record in answer]
            else:
                dropped += 1
        is_same = len(made) == len(records) and all(record is records[index] for index, record in made)
        following = batch if is_same else rebuilt(batch, made)
        return Transformed(following, {FILTER: dropped} if dropped else {}, tuple(rejected))


def calls_of(function: Callable[..., Any], settings: PythonSettings, thread: LeavableThread) -> Calls:
    """How ``function`` is called; in ``thread``, unless it is async."""
    patience = Patience(f"python {settings.function}", settings.timeout_s)
    turns = Turns(thread, patience)
    if settings.takes == "batch":
        called = partial(in_loop, function, patience) if is_async(function) else partial(in_thread, function, turns)
        return BatchCalls(called, patience.step)
    return AwaitedRecordCalls(function, patience) if is_async(function) else RecordCalls(function, turns)
