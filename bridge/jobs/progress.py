"""How far a bounded job has come, by position and time: nobody knows how many records are still to come."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from connectors.base import End, Place, Position

_SMOOTHING_S = 15.0
"""Rates follow a change within about this time."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What of a partition is to be read."""

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


@dataclass(frozen=True, slots=True)
class PartProgress:
    """``share`` is from 0 to 1, None while nothing tells; so is ``remaining_s``, in seconds."""

    name: str
    state: str
    """``waiting``, ``copying`` or ``done``."""
    share: float | None
    records: int
    records_per_second: float
    remaining_s: float | None


@dataclass(frozen=True, slots=True)
class JobProgress:
    overall: PartProgress
    partitions: tuple[PartProgress, ...]

    def to_json(self) -> dict[str, object]:
        return {**asdict(self.overall), "partitions": [asdict(part) for part in self.partitions]}


class Meter:
    """Makes progress out of standings, one after another.

    Between two positions it goes by their first number (offsets), where there is only an end in time by watermarks.
    """

    def __init__(self, rank: Callable[[Position | None], tuple[int, ...]]) -> None:
        """``rank`` is that of the source."""
        self._rank = rank
        self._paces: dict[str, _Pace] = {}
        self._whole = _Pace()
        self._first_ms: dict[str, int] = {}

    def measure(self, now_s: float, stretches: Mapping[str, Stretch], lanes: Mapping[str, Standing]) -> JobProgress:
        """``lanes`` at ``now_s`` on a clock that never steps; all have a stretch."""
        parts = tuple(self._part(now_s, name, stretches[name], lane) for name, lane in sorted(lanes.items()))
        known = [part.share for part in parts if part.share is not None]
        share = sum(known) / len(parts) if known else None
        records = sum(part.records for part in parts)
        is_done = bool(parts) and all(part.state == "done" for part in parts)
        pace = self._whole
        pace.note(now_s, share or 0.0, records)
        state = "done" if is_done else "copying" if any(lane.has_begun for lane in lanes.values()) else "waiting"
        whole = PartProgress(
            "overall", state, share, records, pace.records_per_s, pace.remaining_s(share, done=is_done)
        )
        return JobProgress(whole, parts)

    def _part(self, now_s: float, name: str, stretch: Stretch, lane: Standing) -> PartProgress:
        share = 1.0 if lane.is_done else self._share(name, stretch, lane)
        pace = self._paces.setdefault(name, _Pace())
        pace.note(now_s, share or 0.0, lane.records)
        state = "done" if lane.is_done else "copying" if lane.has_begun else "waiting"
        remaining_s = pace.remaining_s(share, done=lane.is_done)
        return PartProgress(name, state, share, lane.records, pace.records_per_s, remaining_s)

    def _share(self, name: str, stretch: Stretch, lane: Standing) -> float | None:
        """Of a lane that is not done, so below 1."""
        if not lane.has_begun:
            return 0.0
        if stretch.end.position is not None:
            start, here, end = (
                (self._rank(position) or (0,))[0]
                for position in (stretch.start.position, lane.place.position, stretch.end.position)
            )
            return _part(start, here, end)
        time_ms, end_ms = lane.place.watermark_ms, stretch.end.time_ms
        if time_ms is None or end_ms is None:
            return None
        return _part(self._first_ms.setdefault(name, stretch.start.watermark_ms or time_ms), time_ms, end_ms)


class _Pace:
    """Smoothed: a share and records, each a second."""

    def __init__(self) -> None:
        self.records_per_s = 0.0
        self._share_per_s = 0.0
        self._last: tuple[float, float, int] | None = None
        self._seconds = 0.0

    def note(self, now_s: float, share: float, records: int) -> None:
        last, self._last = self._last, (now_s, share, records)
        if last is None or now_s <= last[0]:
            return
        seconds = now_s - last[0]
        self._seconds += seconds
        # Young rates are plain means.
        weight = seconds / min(self._seconds, _SMOOTHING_S) if seconds < _SMOOTHING_S else 1.0
        self._share_per_s += ((share - last[1]) / seconds - self._share_per_s) * weight
        self.records_per_s += ((records - last[2]) / seconds - self.records_per_s) * weight

    def remaining_s(self, share: float | None, *, done: bool) -> float | None:
        if done:
            return 0.0
        if share is None or self._share_per_s <= 0:
            return None
        return (1 - share) / self._share_per_s


def _part(start: int, here: int, end: int) -> float:
    return min(0.999, max(0.0, (here - start) / max(1, end - start)))
