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
from bridge.jobs.progress import JobProgress, PartitionProgress, Phase

_BARS_EVERY_S = 0.4
_LINES_EVERY_S = 10.0
_BARS = 20
_NAMED = 5
_BAR_WIDTH = 30

Tell = Callable[[], JobProgress]


class Display(Protocol):
    """Shows moments. Its methods may block."""

    every_s: float

    def show(self, progress: JobProgress) -> None: ...

    def close(self) -> None: ...


@asynccontextmanager
async def showing(tell: Tell, stream: TextIO | None = None) -> AsyncIterator[None]:
    """Show on ``stream`` (default: stderr) what ``tell`` says, until it is left, and then once more.

    ``tell`` is called in the event loop, which never waits for the terminal. What it raises is raised on leaving.
    """
    target = stream or sys.stderr
    display: Display = Bars(target) if target.isatty() else Lines(target)
    async with _drawing(display) as thread:
        task = asyncio.create_task(_keep_showing(tell, display, thread), name="progress")
        try:
            yield
        finally:
            task.cancel()
            thread.submit(_shown, display, tell())
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


async def _keep_showing(tell: Tell, display: Display, thread: Executor) -> None:
    while True:
        await asyncio.sleep(display.every_s)
        await asyncio.get_running_loop().run_in_executor(thread, _shown, display, tell())


def _shown(display: Display, progress: JobProgress) -> None:
    """The job goes on when nobody can see it any more."""
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
        _row(table, "all", progress.share, progress.records_per_second, _time_left(progress.remaining_s))
        room = max(1, min(_BARS, self._console.height - 4))
        shown = progress.slowest(room)
        for each in shown:
            _row(table, each.partition, each.share, each.records_per_second, _left(each))
        if len(shown) < len(progress.partitions):
            table.add_row(f"{len(progress.partitions)} partitions", _counts(progress))
        return table


class Lines:
    """One JSON document a line."""

    def __init__(self, stream: TextIO) -> None:
        self.every_s = _LINES_EVERY_S
        self._stream = stream

    def show(self, progress: JobProgress) -> None:
        line = {"event": "progress", "time": datetime.now(UTC).isoformat(), **progress_json(progress)}
        print(json.dumps(line, ensure_ascii=False), file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is held."""


def progress_json(progress: JobProgress) -> dict[str, object]:
    """All of the job, how many partitions are in which phase, and the slowest few."""
    return {
        "share": _rounded(progress.share, 4),
        "records": progress.records,
        "records_per_second": round(progress.records_per_second, 1),
        "remaining_seconds": _rounded(progress.remaining_s, 1),
        "partitions": {phase.value: progress.count(phase) for phase in Phase},
        "slowest": [_partition_json(each) for each in progress.slowest(_NAMED)],
    }


def _partition_json(progress: PartitionProgress) -> dict[str, object]:
    return {
        "partition": progress.partition,
        "phase": progress.phase.value,
        "share": _rounded(progress.share, 4),
        "records": progress.records,
        "records_per_second": round(progress.records_per_second, 1),
        "remaining_seconds": _rounded(progress.remaining_s, 1),
    }


def _row(table: Table, name: str, share: float | None, per_second: float, left: str) -> None:
    bar = ProgressBar(total=1.0, completed=share or 0.0, width=_BAR_WIDTH)
    # Rounded down: a hundred percent is said of what is done alone.
    percent = "-" if share is None else f"{int(share * 100)} %"
    table.add_row(name, bar, f"{percent:>5}", f"{per_second:>9,.0f}/s", left)


def _left(progress: PartitionProgress) -> str:
    return _time_left(progress.remaining_s) if progress.phase is Phase.RUNNING else progress.phase.value


def _time_left(remaining_s: float | None) -> str:
    return "" if remaining_s is None else f"{age(round(remaining_s * 1000))} left"


def _counts(progress: JobProgress) -> str:
    return ", ".join(f"{count} {phase.value}" for phase in Phase if (count := progress.count(phase)))


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
