"""A mirror of as many lanes as wanted, whose numbers move as a real one's do. Nothing is mirrored."""

from collections import Counter
from dataclasses import replace
from random import Random

from bridge.engine.status import LaneState, LaneStatus, MirrorState, MirrorStatus
from bridge.telemetry.counters import Counts
from bridge.telemetry.observed import ObservedMirror
from connectors.base import Clock
from tests.bridge.telemetry.statuses import STARTING, lane

_POSITION = 49590338271490256608559692538361571095921575989136588898
_BYTES = 512


class BusyMirror:
    """Each ``tick`` is a second in which every third lane moves, as where keys are uneven."""

    def __init__(self, lanes: int, name: str = "orders") -> None:
        self.lanes = [self._lane(number) for number in range(lanes)]
        self.state = MirrorState.RUNNING
        self.job: dict[str, object] | None = None
        self.cutover: dict[str, object] | None = None
        self._random = Random(8)
        self._ticks = 0
        self._retries: Counter[tuple[str, str]] = Counter()
        self.observed = ObservedMirror(
            name,
            self.status,
            lambda: Counts(dict(self._retries), {"PutRecords": 3}, 0, 0),
            source="kinesis://eu-west-1/orders",
            sink="kafka://b-1.orders.example:9098,b-2.orders.example:9098/orders",
            job=lambda: self.job,
            cutover=lambda: self.cutover,
        )

    def tick(self) -> None:
        self._ticks += 1
        self.lanes = [self._moved(number, each) for number, each in enumerate(self.lanes)]
        if self._ticks % 20 == 0:
            self._retries["PutRecords", "InternalFailure"] += 1

    def hold(self, number: int, error: str) -> None:
        """A lane that a person must look at."""
        self.lanes[number] = replace(self.lanes[number], state=LaneState.HELD, error=error, records_per_second=0.0)

    def status(self) -> MirrorStatus:
        written = sum(each.records_written for each in self.lanes)
        return replace(
            STARTING,
            state=self.state,
            lanes=tuple(self.lanes),
            records_read=written + 20,
            bytes_read=_BYTES * (written + 20),
            records_written=written,
            bytes_written=_BYTES * written,
            records_per_second=sum(each.records_per_second for each in self.lanes),
            skipped={"loop": 3},
            buffered_bytes=4_200_000,
        )

    def _lane(self, number: int) -> LaneStatus:
        idle = replace(lane(f"shardId-{number:012}"), lag_ms=0, lag_records=None, records_per_second=0.0)
        return replace(idle, position=str(_POSITION + number), records_written=number, checkpoint_age_ms=0)

    def _moved(self, number: int, each: LaneStatus) -> LaneStatus:
        if (number + self._ticks) % 3 or each.state is not LaneState.RUNNING:
            return each
        records = self._random.randrange(20, 400)
        return replace(
            each,
            position=str(_POSITION + self._ticks * 1000 + number),
            lag_ms=self._random.randrange(50, 900),
            records_written=each.records_written + records,
            records_per_second=records / 3,
            checkpoint_age_ms=self._random.randrange(0, 500),
        )


class SteppedClock(Clock):
    """Time that passes when it is told to."""

    def __init__(self, now_ms: int = 1_790_000_000_000) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000
