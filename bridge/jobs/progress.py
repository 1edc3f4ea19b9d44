"""How far a job with an end has come, by position and time: nobody knows how many records are still to come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bridge.engine.rate import Rate
from bridge.engine.status import DONE, LaneState, LaneStatus
from connectors.base import End, Place, Position

_WINDOW_S = 30.0
_SAMPLE_S = 1.0
_WHOLE = 10**9
"""A share as a count: so many parts make one."""
_LISTED = 20


class State(StrEnum):
    WAITING = "waiting"
    """Not begun: its parents are not at their ends, or it is not its turn."""
    COPYING = "copying"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What of a partition is to be read. Without a watermark at its start it begins, in time, at the first one seen."""

    start: Place
    end: End


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a lane stands."""

    place: Place
    records: int
    """Copied so far."""
    has_begun: bool
    is_done: bool

    @classmethod
    def of(cls, lane: LaneStatus, records: int) -> "Standing":
        """Where ``lane`` stands, with so many ``records`` of the job copied."""
        return cls(
            Place(lane.position, lane.watermark_ms),
            records,
            has_begun=lane.state is not LaneState.WAITING,
            is_done=lane.state in DONE,
        )

    @property
    def state(self) -> State:
        if self.is_done:
            return State.DONE
        return State.COPYING if self.has_begun else State.WAITING


@dataclass(frozen=True, slots=True)
class PartProgress:
    name: str
    state: State
    share: float | None
    """From 0 to 1, which it reaches only when it is done; None where that cannot be told yet."""
    records: int
    records_per_second: float
    remaining_s: float | None
    """At the rate of the last half minute; None where there is none."""

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "state": self.state.value,
            "share": _rounded(self.share, 4),
            "records": self.records,
            "records_per_second": round(self.records_per_second, 1),
            "remaining_s": _rounded(self.remaining_s, 1),
        }


@dataclass(frozen=True, slots=True)
class JobProgress:
    """One moment of a job. Partitions weigh as much as their stretches are long, in offsets or in time.

    The whole takes no less time than any of them still needs.
    """

    overall: PartProgress
    partitions: tuple[PartProgress, ...]

    def count(self, state: State) -> int:
        return sum(each.state is state for each in self.partitions)

    def slowest(self, count: int) -> Sequence[PartProgress]:
        """Up to ``count`` partitions that are not done: those that will take longest first, waiting ones last."""
        left = [each for each in self.partitions if each.state is not State.DONE]
        return sorted(left, key=_urgency)[:count]

    def to_json(self) -> dict[str, object]:
        """The whole, how many partitions are in which state, and the slowest of them, so that a line stays one."""
        return {
            **self.overall.to_json(),
            "states": {state.value: self.count(state) for state in State},
            "partitions": [each.to_json() for each in self.slowest(_LISTED)],
        }


class Meter:
    """Makes progress out of standings, one after another. Thousands of partitions take it little memory."""

    def __init__(self, rank: Callable[[Position | None], tuple[int, ...]]) -> None:
        """``rank`` is that of the source."""
        self._rank = rank
        self._tracks: dict[str, _Track] = {}
        self._overall = _Track()

    def measure(self, now_s: float, stretches: Mapping[str, Stretch], lanes: Mapping[str, Standing]) -> JobProgress:
        """``lanes`` at ``now_s`` on a clock that never steps; all have a stretch. Waiting ones and done ones count."""
        parts: list[PartProgress] = []
        lengths: list[int | None] = []
        for name, standing in sorted(lanes.items()):
            track = self._tracks.setdefault(name, _Track())
            way = self._way(stretches[name], standing.place, track)
            parts.append(track.part(now_s, name, standing, _share(standing.state, way)))
            lengths.append(None if way is None else way.length)
        return JobProgress(self._whole(now_s, parts, lengths), tuple(parts))

    def _whole(self, now_s: float, parts: Sequence[PartProgress], lengths: Sequence[int | None]) -> PartProgress:
        records = sum(part.records for part in parts)
        has_begun = any(part.state is not State.WAITING for part in parts)
        standing = Standing(Place(), records, has_begun, all(part.state is State.DONE for part in parts))
        share = 1.0 if standing.is_done else _weighted(parts, lengths)
        whole = self._overall.part(now_s, "overall", standing, share)
        longest_s = max((part.remaining_s for part in parts if part.remaining_s is not None), default=0.0)
        return whole if whole.remaining_s is None else replace(whole, remaining_s=max(whole.remaining_s, longest_s))

    def _way(self, stretch: Stretch, place: Place, track: "_Track") -> "_Way | None":
        """By the bound that is nearer; None where neither can be told."""
        start, end = stretch.start, stretch.end
        ways: list[_Way | None] = []
        if end.position is not None:
            ways.append(track.by_rank(*map(self._number, (start.position, place.position, end.position))))
        if end.time_ms is not None:
            ways.append(track.by_time(start.watermark_ms, place.watermark_ms, end.time_ms))
        return max((way for way in ways if way is not None), key=lambda way: way.share, default=None)

    def _number(self, position: Position | None) -> int | None:
        """None where the position is not that of a record, but a time or the beginning."""
        return next(iter(self._rank(position)), None)


@dataclass(frozen=True, slots=True)
class _Way:
    """A stretch as a length, and what of it is behind: in offsets, sequence numbers or milliseconds."""

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
    """What has been seen of one partition, or of all together."""

    first_rank: int | None = None
    first_ms: int | None = None
    records: Rate = field(default_factory=lambda: Rate(_WINDOW_S))
    shares: Rate = field(default_factory=lambda: Rate(_WINDOW_S))
    sampled_s: float = float("-inf")

    def by_rank(self, start: int | None, here: int | None, last: int | None) -> _Way | None:
        """Of a stretch that begins at no position in particular, the first one seen is where it begins."""
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

    def part(self, now_s: float, name: str, standing: Standing, share: float | None) -> PartProgress:
        if now_s - self.sampled_s >= _SAMPLE_S:
            self.sampled_s = now_s
            self.records.sample(now_s, standing.records)
            if share is not None:
                self.shares.sample(now_s, _parts(share))
        state, rate, remaining_s = standing.state, 0.0, 0.0 if standing.is_done else None
        if state is State.COPYING:
            rate = self.records.per_second(now_s, standing.records)
            remaining_s = self._remaining_s(now_s, share)
        return PartProgress(name, state, share, standing.records, rate, remaining_s)

    def _remaining_s(self, now_s: float, share: float | None) -> float | None:
        if share is None:
            return None
        per_second = self.shares.per_second(now_s, _parts(share))
        return (_WHOLE - _parts(share)) / per_second if per_second > 0 else None


def _share(state: State, way: _Way | None) -> float | None:
    if state is State.DONE:
        return 1.0
    if way is not None:
        # What was read last may not be durable yet.
        return min(way.share, 1 - 1 / _WHOLE)
    return 0.0 if state is State.WAITING else None


def _weighted(parts: Sequence[PartProgress], lengths: Sequence[int | None]) -> float | None:
    """The share of all. A stretch whose length is not known, as before it has begun, counts as one of the mean."""
    known = [length for length in lengths if length]
    mean = sum(known) / len(known) if known else 1
    weights = [mean if length is None else length for length in lengths]
    done = sum(weight * (part.share or 0.0) for part, weight in zip(parts, weights, strict=True))
    return done / sum(weights) if any(weights) and any(part.share is not None for part in parts) else None


def _urgency(part: PartProgress) -> tuple[bool, float, float, str]:
    remaining_s = float("inf") if part.remaining_s is None else part.remaining_s
    return part.state is State.WAITING, -remaining_s, part.share or 0.0, part.name


def _parts(share: float) -> int:
    return int(share * _WHOLE)


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
