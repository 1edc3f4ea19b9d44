"""A step that calls a function of the user's own."""

import asyncio
import importlib
import sys
from functools import reduce
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bridge.coordination.leavable_thread import LeavableThread
from bridge.transforms.rebuilt import rebuilt
from connectors.base import Batch, Record, Rejected, SettingsError
from connectors.transform import Transform, Transformed

FILTER = "filter"
REJECTED = "transform"


class PythonStep(Transform):
    def __init__(self, reference: str, path: Path) -> None:
        self._reference = reference
        self._path = path
        self._function: Any = None
        self._thread: LeavableThread | None = None

    @property
    def name(self) -> str:
        return f"python {self._reference}"

    async def __aenter__(self) -> Self:
        self._thread = LeavableThread(self.name)
        self._function = await asyncio.wrap_future(self._thread.submit(self._load))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.end()

    async def apply(self, batch: Batch) -> Transformed:
        assert self._thread is not None  # noqa: S101 - it is entered
        return await asyncio.wrap_future(self._thread.submit(lambda: self._called(batch)))

    def _called(self, batch: Batch) -> Transformed:
        made: list[tuple[int, Record]] = []
        rejected: list[Rejected] = []
        dropped = 0
        for index, record in enumerate(batch.records()):
            try:
                answer = self._function(record)
            except Exception as error:  # noqa: BLE001 - whatever it is, it names the record
                rejected.append(Rejected(index, REJECTED, f"{self.name}: {type(error).__name__}: {error}"))
                continue
            if answer is None:
                dropped += 1
            elif isinstance(answer, Record):
                made.append((index, answer))
            else:
                made += [(index, each) for each in answer]
        return Transformed(rebuilt(batch, made), {FILTER: dropped} if dropped else {}, tuple(rejected))

    def _load(self) -> Any:
        sys.path.insert(0, str(self._path.resolve()))
        module, _, function = self._reference.partition(":")
        try:
            return reduce(getattr, function.split("."), importlib.import_module(module))
        except (ImportError, AttributeError) as error:
            raise SettingsError(f"load {self.name}", str(error), "check transforms[].python and path") from error
