"""Steps that look at one record after the other and wait for nothing."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from bridge.transforms.unfit import MENDED, UnfitError
from connectors.base import Batch, Rejected
from connectors.transform import Transform, Transformed

T = TypeVar("T")

TOO_DEEP = "too_deep"

_LONGEST_NAME = 60
_SLICE_S = 0.005
"""So long nobody else has a turn; longer where one record takes longer."""


class EachRecord(Transform, Generic[T]):
    """Makes a ``T`` of each record, and then what goes on instead of the batch. Called in the event loop, in slices."""

    async def apply(self, batch: Batch) -> Transformed:
        made: list[T] = []
        rejected: list[Rejected] = []
        until_s = time.monotonic() + _SLICE_S
        for index in range(len(batch)):
            if time.monotonic() > until_s:
                await asyncio.sleep(0)
                until_s = time.monotonic() + _SLICE_S
            try:
                made.append(self._make(batch, index))
            except UnfitError as error:
                rejected.append(Rejected(index, error.reason, f"{self.name}: {error}", MENDED))
            except RecursionError:
                # What is read in depth here, and by the libraries, has Python's own limit.
                detail = f"{self.name}: the value is nested too deeply"
                rejected.append(Rejected(index, TOO_DEEP, detail, MENDED))
        return replace(self._with(batch.without(rejected), made), rejected=tuple(rejected))

    @abstractmethod
    def _make(self, batch: Batch, index: int) -> T:
        """Of the record of ``batch`` at ``index``. Raises ``UnfitError`` where nothing can be made of it."""

    @abstractmethod
    def _with(self, batch: Batch, made: Sequence[T]) -> Transformed:
        """``batch`` with what was made of each of its records."""


def titled(kind: str, what: str) -> str:
    """The name of a step: one line, and no long one."""
    text = f"{kind} {' '.join(what.split())}"
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
