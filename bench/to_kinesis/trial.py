"""One program mirrors the load once, watched from outside."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measurement import Usage
from bench.process import STOP_S, TrialError, checked, printed, running
from bench.servers import held_records
from bench.to_kinesis.arrivals import StreamArrivals, read_stream
from bench.to_kinesis.load import TopicLoad

_LOOK_S = 0.05
_QUIET_S = 2.0
"""Where nothing came for so long, all came."""
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class StreamTrial:
    """What one program did and used up to the last look that found something new."""

    records: int
    swaps: int
    """Records that stand behind a later one of their key."""
    usage: Usage
    mirroring_s: float
    """From the first look that found something."""
    whole_s: float
    """From the start of the process."""

    def records_per_second(self) -> float:
        return self.records / self.mirroring_s if self.mirroring_s else 0.0


@dataclass(frozen=True, slots=True)
class _Seen:
    first_s: float
    last_s: float
    usage: Usage


def run_trial(
    command: Sequence[str], kinesis: str, stream: str, load: TopicLoad, log: Path
) -> tuple[StreamTrial, StreamArrivals]:
    """Run ``command`` until nothing more comes into the stream, then stop it and read the stream.

    Raises ``TrialError``, and ``WrongArrivalsError`` where not every record arrived once.
    """
    begun_s = time.monotonic()
    with running(command, log) as process:
        seen = _watch(process, kinesis, log)
        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_S)
    checked(command, code, log)
    arrivals = asyncio.run(read_stream(kinesis, stream))
    arrivals.judge(load.counts)
    mirroring_s, whole_s = seen.last_s - seen.first_s, seen.last_s - begun_s
    return StreamTrial(arrivals.records, arrivals.swaps, seen.usage, mirroring_s, whole_s), arrivals


def _watch(process: subprocess.Popen[bytes], kinesis: str, log: Path) -> _Seen:
    """When the stream grew, and what the process had used by then."""
    deadline = time.monotonic() + _START_S
    held, seen = held_records(kinesis), None
    while seen is None or time.monotonic() < seen.last_s + _QUIET_S:
        before, held = held, held_records(kinesis)
        if held > before:
            now = time.monotonic()
            seen = _Seen(now if seen is None else seen.first_s, now, Usage.of(process.pid))
        if process.poll() is not None:
            raise TrialError(f"{process.args!r} ended with {process.returncode}; it printed: {printed(log)}")
        if seen is None and time.monotonic() > deadline:
            raise TrialError(f"{process.args!r} wrote nothing in time: {printed(log)}")
        time.sleep(_LOOK_S)
    return seen
