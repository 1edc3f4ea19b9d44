"""How far a job with an end has come, and how long it will take: by position and time, not by a count nobody knows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.engine.rate import Rate
from connectors.base import Clock, End, Place, Position

_WINDOW_S = 30.0
_SAMPLE_S = 1.0
_WHOLE = 10**9
"""A share as a count: so many parts make one."""


class Phase(StrEnum):
    WAITING = "waiting"
    """Not begun: its parents are not at their ends, or it is not its turn."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """One partition of a job at this moment."""

    partition: str
    phase: Phase
    start: Place
    """Where its range begins. Its watermark is the time at which it does; without one the first seen counts."""
    end: End
    place: Place
    """Where it is."""
    records: int
    """Done of it so far."""


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    partition: str
    phase: Phase
    share: float | None
    """Done of its range, from 0 to 1, which it reaches only when it is done; None where that cannot be told yet."""
    records: int
    records_per_second: float
    remaining_s: float | None
    """At the rate of the last half minute; None where there is none."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """One moment of a job. Shares of partitions weigh as much as their ranges are long, in offsets or in time."""

    share: float | None
    records: int
    records_per_second: float
    remaining_s: float | None
    """Not less than any partition still needs."""
    partitions: tuple[PartitionProgress, ...]

    def count(self, phase: Phase) -> int:
        return sum(each.phase is phase for each in self.partitions)

    def slowest(self, count: int) -> Sequence[PartitionProgress]:
        """Up to ``count`` partitions that are not done, those that will take longest first, waiting ones last."""
        left = [each for each in self.partitions if each.phase is not Phase.DONE]
        return sorted(left, key=_urgency)[:count]


@dataclass(frozen=True, slots=True)
class _Way:
    """A partition's range as a length, and what of it is behind; in offsets, sequence numbers or milliseconds."""

    length: int
    done: int

    @classmethod
    def between(cls, first: int, last: int, here: int) -> "_Way":
        return cls(max(0, last - first), max(0, here - first))

    @property
    def share(self) -> float:
        return 1.0 if self.done >= self.length else self.done / self.length


@dataclass(slots=True)
class _Track:
    """What has been seen of one partition."""

    first_rank: int | None = None
    first_ms: int | None = None
    records: Rate = field(default_factory=lambda: Rate(_WINDOW_S))
    shares: Rate = field(default_factory=lambda: Rate(_WINDOW_S))
    sampled_s: float = float("-inf")

    def by_rank(self, start: int | None, here: int | None, last: int | None) -> _Way | None:
        """Of a range that begins at no position in particular, the first one seen is where it begins."""
        if self.first_rank is None:
            self.first_rank = here if start is None else start
        if self.first_rank is None or last is None:
            return None
        return _Way.between(self.first_rank, last, self.first_rank if here is None else here)

    def by_time(self, start_ms: int | None, here_ms: int | None, last_ms: int) -> _Way | None:
        """As ``by_rank``, by watermarks."""
        if self.first_ms is None:
            self.first_ms = here_ms if start_ms is None else start_ms
        if self.first_ms is None:
            return None
        return _Way.between(self.first_ms, last_ms, self.first_ms if here_ms is None else here_ms)

    def sample(self, now_s: float, records: int, share: float | None) -> None:
        """Not more often than once a second, so that thousands of partitions take little memory."""
        if now_s - self.sampled_s < _SAMPLE_S:
            return
        self.sampled_s = now_s
        self.records.sample(now_s, records)
        if share is not None:
            self.shares.sample(now_s, _parts(share))

    def remaining_s(self, now_s: float, share: float | None) -> float | None:
        per_second = 0.0 if share is None else self.shares.per_second(now_s, _parts(share))
        return None if share is None or per_second <= 0 else (_WHOLE - _parts(share)) / per_second


class ProgressMeter:
    """Turns where a job's partitions stand into shares and rates. To be asked about once a second or more often."""

    def __init__(self, rank: Callable[[Position | None], tuple[int, ...]], clock: Clock) -> None:
        """``rank`` is the source's."""
        self._rank = rank
        self._clock = clock
        self._tracks: dict[str, _Track] = {}
        self._overall = _Track()

    def measure(self, standings: Iterable[Standing]) -> JobProgress:
        """``standings`` are those of all partitions of the job, waiting and done ones too."""
        now_s = self._clock.monotonic()
        partitions: list[PartitionProgress] = []
        lengths: list[int | None] = []
        for standing in standings:
            track = self._tracks.setdefault(standing.partition, _Track())
            way = self._way(standing, track)
            partitions.append(_progress(standing, way, track, now_s))
            lengths.append(None if way is None else way.length)
        share = _weighted(partitions, lengths)
        records = sum(each.records for each in partitions)
        self._overall.sample(now_s, records, share)
        return JobProgress(
            share,
            records,
            self._overall.records.per_second(now_s, records),
            self._remaining_s(partitions, share, now_s),
            tuple(partitions),
        )

    def _remaining_s(self, partitions: Sequence[PartitionProgress], share: float | None, now_s: float) -> float | None:
        if all(each.phase is Phase.DONE for each in partitions):
            return 0.0
        overall_s = self._overall.remaining_s(now_s, share)
        longest_s = max((each.remaining_s for each in partitions if each.remaining_s is not None), default=0.0)
        return None if overall_s is None else max(overall_s, longest_s)

    def _way(self, standing: Standing, track: _Track) -> _Way | None:
        """By the bound that is nearer; None where neither can be told."""
        start, end, place = standing.start, standing.end, standing.place
        ways: list[_Way | None] = []
        if end.position is not None:
            ways.append(track.by_rank(*map(self._number, (start.position, place.position, end.position))))
        if end.time_ms is not None:
            ways.append(track.by_time(start.watermark_ms, place.watermark_ms, end.time_ms))
        return max((way for way in ways if way is not None), key=lambda way: way.share, default=None)

    def _number(self, position: Position | None) -> int | None:
        """None where the position is not that of a record, but a time or the beginning."""
        return next(iter(self._rank(position)), None)


def _progress(standing: Standing, way: _Way | None, track: _Track, now_s: float) -> PartitionProgress:
    is_running, share = standing.phase is Phase.RUNNING, _share(standing, way)
    track.sample(now_s, standing.records, share)
    return PartitionProgress(
        standing.partition,
        standing.phase,
        share,
        standing.records,
        track.records.per_second(now_s, standing.records) if is_running else 0.0,
        0.0 if standing.phase is Phase.DONE else track.remaining_s(now_s, share) if is_running else None,
    )


def _share(standing: Standing, way: _Way | None) -> float | None:
    if standing.phase is Phase.DONE:
        return 1.0
    if way is not None:
        return min(way.share, 1 - 1 / _WHOLE)
    return 0.0 if standing.phase is Phase.WAITING else None


def _weighted(partitions: Sequence[PartitionProgress], lengths: Sequence[int | None]) -> float | None:
    """The share of all. A range whose length is not known, as before it has begun, counts as one of the mean length."""
    if all(each.phase is Phase.DONE for each in partitions):
        return 1.0
    known = [length for length in lengths if length]
    mean = sum(known) / len(known) if known else 1
    weights = [mean if length is None else length for length in lengths]
    done = sum(weight * (each.share or 0.0) for each, weight in zip(partitions, weights, strict=True))
    return done / sum(weights) if any(weights) else None


def _urgency(progress: PartitionProgress) -> tuple[bool, float, float, str]:
    remaining_s = float("inf") if progress.remaining_s is None else progress.remaining_s
    return progress.phase is Phase.WAITING, -remaining_s, progress.share or 0.0, progress.partition


def _parts(share: float) -> int:
    return int(share * _WHOLE)
