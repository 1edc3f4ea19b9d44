"""What a target would not keep is refused before the first record, with the setting and the value it needs."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from random import Random

import pytest
from structlog.testing import capture_logs

from bridge.engine.mirror import Ends
from bridge.engine.policy import OnError, OnGap, Policy
from bridge.jobs import target
from bridge.jobs.target import check_target
from connectors.base import (
    Batch,
    Budget,
    Clock,
    ConnectorError,
    GapError,
    Partition,
    Place,
    Rejected,
    Setting,
    SettingsError,
    TransientError,
)
from connectors.memory.faults import Faults
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource, MemoryStream
from connectors.memory.topic import MemoryTopic
from connectors.transform import Transform, Transformed

_HOUR_MS = 3_600_000
_NOW_MS = 500_000 * _HOUR_MS


class _StillClock(Clock):
    def now_ms(self) -> int:
        return _NOW_MS


class _Shown(MemorySource):
    """Partitions whose first records have these ages in ms; one without any is at its tip or, with None, silent."""

    def __init__(self, ages: Mapping[str, Sequence[int] | None]) -> None:
        super().__init__(MemoryStream("orders", 1, Clock()), Clock(), Faults())
        self._ages = ages
        self.faults: dict[str, ConnectorError] = {}

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        ages = self._ages[partition.id]
        if ages is None:
            await asyncio.Event().wait()
            return
        if fault := self.faults.get(partition.id):
            raise fault
        reservation = await budget.reserve(100)
        yield Batch(
            partition.id,
            Place("1"),
            positions=[str(number) for number in range(len(ages))],
            keys=[b"k"] * len(ages),
            values=[b"v"] * len(ages),
            timestamps_ms=[_NOW_MS - age for age in ages],
            reservation=reservation,
        )
        if not ages:
            await asyncio.Event().wait()


class _Limited(MemorySink):
    def __init__(self, *, age: Mapping[str, int] | None = None, volume: int | None = None, large: bool = False) -> None:
        super().__init__(MemoryTopic("orders", 1), Faults(), Random(1))
        self._age = age or {}
        self._volume = volume
        self._large = large

    def age_limits(self) -> tuple[Setting, ...]:
        return tuple(Setting("topic orders", name, value) for name, value in self._age.items())

    def volume_limits(self) -> tuple[Setting, ...]:
        return () if self._volume is None else (Setting("topic orders", "retention.bytes", self._volume),)

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        return (Rejected(0, "too_large", "it needs max.bytes of at least 7"),) if self._large else ()


async def _check(
    source: _Shown, sink: MemorySink, policy: Policy | None = None, transform: Transform | None = None
) -> list[str]:
    """What the log says."""
    starts = {Partition(name, tuple(name[:-1])): Place() for name in source._ages}
    with capture_logs() as logs:
        await check_target(Ends(source, sink, transform=transform), starts, policy or Policy(), _StillClock())
    told = [each for each in logs if each["log_level"] in ("warning", "error")]
    return [f"{each['event']} {each.get('setting', '')}".strip() for each in told]


async def test_records_that_are_too_old_are_refused_with_the_value_that_is_needed() -> None:
    """The oldest of all partitions counts; the value leaves the job an hour, and is a whole number of hours."""
    source = _Shown({"0": [1, 2], "1": [5, 10 * _HOUR_MS + 1], "2": [3]})
    with pytest.raises(SettingsError) as told:
        await _check(source, _Limited(age={"retention.ms": 10 * _HOUR_MS, "before.max.ms": 9**20}))
    text = str(told.value)
    assert f"topic orders has retention.ms={10 * _HOUR_MS}" in text
    assert f"set retention.ms to at least {13 * _HOUR_MS} on topic orders" in text
    assert "--timestamps now" in text
    assert "1/1" in text
    assert "before.max.ms" not in text
    assert await _check(source, _Limited(age={"retention.ms": 13 * _HOUR_MS})) == []


async def test_all_settings_that_stand_in_the_way_are_named_at_once() -> None:
    """Nobody wants to be refused twice."""
    with pytest.raises(SettingsError, match=r"set retention\.ms to at least \d+ .* and before\.max\.ms to at least"):
        await _check(_Shown({"0": [_HOUR_MS]}), _Limited(age={"retention.ms": 1, "before.max.ms": _HOUR_MS + 1}))


async def test_what_is_kept_for_less_than_an_hour_is_copied_with_a_warning() -> None:
    """A margin is no reason to refuse."""
    told = await _check(_Shown({"0": [_HOUR_MS]}), _Limited(age={"retention.ms": _HOUR_MS + 60_000}))
    assert told == [
        f"the oldest records will be kept for a short time topic orders has retention.ms={_HOUR_MS + 60_000}"
    ]


async def test_what_may_go_with_the_volume_is_told() -> None:
    """How much will be copied nobody knows."""
    (told,) = await _check(_Shown({"0": [1]}), _Limited(volume=1000))
    assert "topic orders has retention.bytes=1000" in told


async def test_a_first_record_that_is_too_large_is_refused_unless_it_has_another_place_to_go() -> None:
    """The sink's own words name the setting and the value."""
    source, sink = _Shown({"0": [1]}), _Limited(large=True)
    with pytest.raises(SettingsError, match=r"copy partition 0.*max\.bytes of at least 7"):
        await _check(source, sink)
    assert await _check(source, sink, Policy(on_error=OnError.DEAD_LETTER)) == []


async def test_nothing_to_copy_is_nothing_to_refuse() -> None:
    """Partitions that are at their tips, and a job without any."""
    assert await _check(_Shown({"0": [], "1": []}), _Limited(age={"retention.ms": 1})) == []
    assert await _check(_Shown({}), _Limited(age={"retention.ms": 1})) == []


async def test_partitions_that_show_nothing_in_time_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the others show counts, faults of the moment are left to the job, and the log has the number."""
    monkeypatch.setattr(target, "_LOOK_S", 0.2)
    source = _Shown({"s": None, "b": [], "0": [1]})
    source.faults["b"] = TransientError("read b", "not now")
    assert await _check(source, _Limited()) == ["the age of some records is not known before they are copied"]
    with pytest.raises(SettingsError):
        await _check(source, _Limited(age={"retention.ms": 0}))


async def test_a_gap_where_the_range_begins_is_raised_unless_it_is_accepted() -> None:
    """A source takes the next read for the operator's consent, so that it is not passed in silence."""
    source = _Shown({"0": []})
    source.faults["0"] = GapError("read 0", "expired", lost_from="1", lost_to="2", resume=Place("2"))
    with pytest.raises(GapError, match="expired"):
        await _check(source, _Limited())
    told = await _check(source, _Limited(), Policy(on_gap=OnGap.CONTINUE))
    assert "a gap where the range begins" in told


async def test_children_are_looked_at_where_their_parents_are_empty() -> None:
    """What is in a parent is older: only where nothing is left there, the oldest records are those of its children."""
    limited = _Limited(age={"retention.ms": _HOUR_MS + 1})
    assert await _check(_Shown({"a": [1], "ab": [2 * _HOUR_MS]}), limited) == []
    assert await _check(_Shown({"a": [], "-": [1], "-a": [1], "-a-": [2 * _HOUR_MS]}), limited) == []
    with pytest.raises(SettingsError, match="as at a-/0"):
        await _check(_Shown({"a": [], "-": [], "a-": [2 * _HOUR_MS]}), limited)


async def test_hundreds_of_partitions_are_looked_at_within_a_small_budget() -> None:
    """What was looked at is given back at once."""
    source = _Shown({f"-{number}-": [number] for number in range(500)})
    assert await _check(source, _Limited(age={"retention.ms": _HOUR_MS * 2})) == []


class _Narrow(_Limited):
    """Takes records as they are read, and nothing more."""

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        fits = batch.origins is None and batch.headers is None
        return () if fits else (Rejected(0, "too_large", "it needs max.bytes of at least 7"),)


class _Smaller(Transform):
    @property
    def name(self) -> str:
        return "smaller"

    async def apply(self, batch: Batch) -> Transformed:
        return Transformed(batch)


@pytest.mark.parametrize("policy", [Policy(), Policy(provenance=False, replay="1")])
async def test_what_is_sent_with_a_record_counts(policy: Policy) -> None:
    """The value that is named has room for the origin and for the mark of a replay, so that setting it is enough."""
    with pytest.raises(SettingsError, match="at least 7"):
        await _check(_Shown({"0": [1]}), _Narrow(), policy)
    assert await _check(_Shown({"0": [1]}), _Narrow(), Policy(provenance=False)) == []


async def test_how_large_a_record_is_before_it_is_transformed_says_nothing() -> None:
    """A step may leave it out, or make it smaller: only its lane finds out."""
    assert await _check(_Shown({"0": [1]}), _Limited(large=True), transform=_Smaller()) == []
