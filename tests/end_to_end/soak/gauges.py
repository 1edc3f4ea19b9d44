"""What a process holds over time: memory and file descriptors, and whether they grow."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: float
    memory: int
    """Bytes of resident memory."""
    files: int
    """Open file descriptors."""


@dataclass(slots=True)
class Gauges:
    """Samples of a process, taken until ``watch`` is cancelled."""

    pid: int
    samples: list[Sample] = field(default_factory=list)

    async def watch(self) -> None:
        while True:
            self.samples.append(await asyncio.to_thread(_sample, self.pid))
            await asyncio.sleep(_EVERY_S)

    def settled(self) -> "Gauges":
        """Without the first third, in which caches fill."""
        return Gauges(self.pid, self.samples[len(self.samples) // 3 :])

    @property
    def memory_slope(self) -> float:
        """Bytes a minute, by least squares."""
        return _slope([(each.at_s, each.memory) for each in self.samples]) * 60

    @property
    def files_slope(self) -> float:
        """File descriptors a minute."""
        return _slope([(each.at_s, each.files) for each in self.samples]) * 60

    @property
    def minutes(self) -> float:
        return (self.samples[-1].at_s - self.samples[0].at_s) / 60


def _sample(pid: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    memory = int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024
    return Sample(time.monotonic(), memory, len([*Path(f"/proc/{pid}/fd").iterdir()]))


def _slope(points: Sequence[tuple[float, float]]) -> float:
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0
