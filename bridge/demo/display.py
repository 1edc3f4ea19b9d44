"""How a demo shows where it is: bars on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_EVERY_S = 2.0


class TerminalDisplay:
    """Two bars, one after the other. They are erased at the end, where the result takes their place."""

    def __init__(self, records: int, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._records = records
        self._written: TaskID | None = None
        self._arrived: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def phase(self, text: str) -> None:
        self._progress.console.print(f"{text} …")

    def progress(self, written: int, arrived: int) -> None:
        if self._written is None or self._arrived is None:
            self._written = self._progress.add_task("written", total=self._records)
            self._arrived = self._progress.add_task("mirrored", total=self._records)
        self._progress.update(self._written, completed=written)
        self._progress.update(self._arrived, completed=arrived)


class PlainDisplay:
    """A line a phase, and one every other second."""

    def __init__(self, records: int, stream: TextIO) -> None:
        self._records = records
        self._stream = stream
        self._last: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def phase(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def progress(self, written: int, arrived: int) -> None:
        now = time.monotonic()
        if self._last is None:
            self._last = now
        if now - self._last < _EVERY_S and arrived < self._records:
            return
        self._last = now
        print(f"written {written:,}, mirrored {arrived:,} of {self._records:,}", file=self._stream, flush=True)
