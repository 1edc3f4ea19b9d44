"""A job's progress while it runs: bars on a terminal, JSON lines elsewhere."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from bridge.jobs.progress import JobProgress, PartProgress

_BARS_EVERY_S = 0.25
_LINES_EVERY_S = 10.0
_MOST_BARS = 20


class Display(Protocol):
    every_s: float

    def show(self, progress: JobProgress) -> None:
        """Where the job is."""

    def close(self) -> None:
        """Leave the terminal as it was."""


@asynccontextmanager
async def showing(look: Callable[[], JobProgress | None]) -> AsyncIterator[None]:
    """Show what ``look`` tells now and then, and once more at the end; on stderr. None is nothing to show yet."""
    display: Display = Bars(Console(stderr=True)) if sys.stderr.isatty() else Lines(sys.stderr)
    task = asyncio.create_task(_follow(look, display), name="progress display")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if (progress := look()) is not None:
            display.show(progress)
        display.close()


async def _follow(look: Callable[[], JobProgress | None], display: Display) -> None:
    while True:
        await asyncio.sleep(display.every_s)
        if (progress := look()) is not None:
            display.show(progress)


class Lines:
    """One JSON document a line."""

    every_s = _LINES_EVERY_S

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, progress: JobProgress) -> None:
        print(json.dumps({"event": "progress", **progress.to_json()}), file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is held."""


class Bars:
    """One bar for all, and one for each partition; of many, for those that are furthest from their ends."""

    every_s = _BARS_EVERY_S

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
        )
        self._bars: dict[str, TaskID] = {}
        self._progress.start()

    def show(self, progress: JobProgress) -> None:
        shown = progress.partitions
        if len(shown) > _MOST_BARS:
            shown = tuple(sorted(shown, key=lambda part: part.share or 0.0)[:_MOST_BARS])
        names = {part.name for part in shown}
        for name in [name for name in self._bars if name not in names and name != progress.overall.name]:
            self._progress.remove_task(self._bars.pop(name))
        for part in (progress.overall, *shown):
            self._show(part)

    def _show(self, part: PartProgress) -> None:
        if part.name not in self._bars:
            self._bars[part.name] = self._progress.add_task(part.name, total=1.0, told="")
        self._progress.update(self._bars[part.name], completed=part.share or 0.0, told=_told(part))

    def close(self) -> None:
        self._progress.refresh()
        self._progress.stop()


def _told(part: PartProgress) -> str:
    if part.state != "copying":
        return f"{part.records:,} records, {part.state}"
    rest = "" if part.remaining_s is None else f", {_duration(part.remaining_s)} left"
    return f"{part.records:,} records, {part.records_per_second:,.0f}/s{rest}"


def _duration(seconds: float) -> str:
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"
