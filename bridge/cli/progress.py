"""How a job with an end shows how far it is: bars on a terminal, a line of JSON now and then elsewhere."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from bridge.cli.output import age
from bridge.jobs.progress import JobProgress, PartProgress, State
from connectors.counted import counted

_BARS_EVERY_S = 0.4
_LINES_EVERY_S = 10.0
_BARS = 20
_BAR_WIDTH = 30

Look = Callable[[], JobProgress | None]


class Display(Protocol):
    """Shows moments. Its methods may block."""

    every_s: float

    def show(self, progress: JobProgress) -> None: ...

    def close(self) -> None: ...


@asynccontextmanager
async def showing(look: Look, stream: TextIO | None = None) -> AsyncIterator[None]:
    """Show on ``stream`` (default: stderr) what ``look`` tells, until it is left, and then once more.

    None is nothing to show yet. ``look`` is called in the event loop, which never waits for the terminal; what it
    raises is raised on leaving.
    """
    target = stream or sys.stderr
    display: Display = Bars(target) if target.isatty() else Lines(target)
    async with _drawing(display) as thread:
        task = asyncio.create_task(_follow(look, display, thread), name="progress")
        try:
            yield
        finally:
            task.cancel()
            thread.submit(_shown, display, look())
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()


@asynccontextmanager
async def _drawing(display: Display) -> AsyncIterator[Executor]:
    """One thread for all that ``display`` does: what is drawn while the job is cancelled is drawn before it closes."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="progress")
    try:
        yield thread
    finally:
        closed = asyncio.get_running_loop().run_in_executor(thread, display.close)
        thread.shutdown(wait=False)
        await closed


async def _follow(look: Look, display: Display, thread: Executor) -> None:
    while True:
        await asyncio.sleep(display.every_s)
        await asyncio.get_running_loop().run_in_executor(thread, _shown, display, look())


def _shown(display: Display, progress: JobProgress | None) -> None:
    """The job goes on when nobody can see it any more."""
    if progress is not None:
        with suppress(OSError):
            display.show(progress)


class Bars:
    """One bar for all and one for each of the slowest partitions. They are erased at the end, where the result follows.

    Meanwhile what is logged to the terminal stands above them.
    """

    def __init__(self, stream: TextIO) -> None:
        self.every_s = _BARS_EVERY_S
        self._console = Console(file=stream, force_terminal=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._stream = stream
        self._moved: list[logging.StreamHandler[TextIO]] = []

    def show(self, progress: JobProgress) -> None:
        if not self._live.is_started:
            self._live.start()
            self._move_logs()
        self._live.update(self._table(progress), refresh=True)

    def close(self) -> None:
        for handler in self._moved:
            handler.setStream(self._stream)
        self._live.stop()

    def _move_logs(self) -> None:
        """What holds the terminal since before the bars would write across them."""
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is self._stream:
                self._moved.append(handler)
                handler.setStream(sys.stderr)

    def _table(self, progress: JobProgress) -> Table:
        table = Table.grid(padding=(0, 2))
        shown = progress.slowest(max(1, min(_BARS, self._console.height - 4)))
        for part in (progress.overall, *shown):
            _row(table, part)
        if len(shown) < len(progress.partitions):
            table.add_row(counted(len(progress.partitions), "partition"), _counts(progress))
        return table


class Lines:
    """One JSON document a line."""

    def __init__(self, stream: TextIO) -> None:
        self.every_s = _LINES_EVERY_S
        self._stream = stream

    def show(self, progress: JobProgress) -> None:
        line = {"event": "progress", "time": datetime.now(UTC).isoformat(), **progress.to_json()}
        print(json.dumps(line, ensure_ascii=False), file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is held."""


def _row(table: Table, part: PartProgress) -> None:
    bar = ProgressBar(total=1.0, completed=part.share or 0.0, width=_BAR_WIDTH)
    # Rounded down: a hundred percent is said of what is done alone.
    percent = "-" if part.share is None else f"{int(part.share * 100)} %"
    table.add_row(part.name, bar, f"{percent:>5}", f"{part.records_per_second:>9,.0f}/s", _left(part))


def _left(part: PartProgress) -> str:
    if part.state is not State.COPYING:
        return part.state.value
    return "" if part.remaining_s is None else f"{age(round(part.remaining_s * 1000))} left"


def _counts(progress: JobProgress) -> str:
    return ", ".join(f"{count} {state.value}" for state in State if (count := progress.count(state)))
