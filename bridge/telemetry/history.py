"""The last hour of each mirror, as few numbers as a chart needs."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from bridge.engine.status import MirrorStatus
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.report import lag_ms
from connectors.base import Clock

EVERY_S = 5.0
SPAN_S = 3600.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Of the time since the sample before it."""

    time_ms: int
    """Since the epoch, at its end."""
    records_per_second: float
    bytes_per_second: float
    lag_ms: int
    """Of the lane that is furthest behind, at its end."""


@dataclass(frozen=True, slots=True)
class _Totals:
    at_s: float
    records: int
    size: int


class History:
    """The samples of one mirror, oldest first; those older than an hour are gone."""

    def __init__(self) -> None:
        self.count = 0
        """Of all samples that ever were."""
        self._samples: deque[Sample] = deque(maxlen=round(SPAN_S / EVERY_S))
        self._before: _Totals | None = None

    def add(self, status: MirrorStatus, now_s: float, now_ms: int) -> None:
        """``now_s`` is on a clock that never steps. The first call only says from where rates are counted."""
        before, self._before = self._before, _Totals(now_s, status.records_written, status.bytes_written)
        if before is None or now_s <= before.at_s:
            return
        stretch_s = now_s - before.at_s
        # A worker that was killed takes what it did since its last report with it.
        records = max(0, status.records_written - before.records) / stretch_s
        size = max(0, status.bytes_written - before.size) / stretch_s
        self._samples.append(Sample(now_ms, round(records, 1), round(size, 1), lag_ms(status)))
        self.count += 1

    def between(self, first: int, last: int) -> Sequence[Sample]:
        """The samples after the first ``first`` and up to number ``last``, as far as they are still there."""
        gone = self.count - len(self._samples)
        return tuple(islice(self._samples, max(0, first - gone), max(0, last - gone)))


class Histories:
    """One history a mirror, by name."""

    def __init__(self, mirrors: Iterable[ObservedMirror], clock: Clock) -> None:
        """``mirrors`` is looked through at each sample: it changes."""
        self._mirrors = mirrors
        self._clock = clock
        self._by_name: dict[str, History] = {}

    def of(self, mirror: str) -> History:
        """An empty one where nothing was sampled yet."""
        return self._by_name.setdefault(mirror, History())

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            self.sample()
            await self._clock.sleep(EVERY_S)

    def sample(self) -> None:
        """Of each mirror that there is; those that are no more are forgotten."""
        names = {mirror.name for mirror in self._mirrors}
        self._by_name = {name: history for name, history in self._by_name.items() if name in names}
        for mirror in self._mirrors:
            self.of(mirror.name).add(mirror.status(), self._clock.monotonic(), self._clock.now_ms())
