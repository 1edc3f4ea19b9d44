"""Shares, rates and remaining times follow from where partitions stand."""

from dataclasses import replace

import pytest

from bridge.jobs.progress import JobProgress, Phase, ProgressMeter, Standing
from connectors.base import Clock, End, Place, Position
from connectors.kinesis.position import rank as kinesis_rank

_START = Place("99")
_END = End(position="1099")
_T = 1_764_000_000_000


class _HandClock(Clock):
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


def _offset(position: Position | None) -> tuple[int, ...]:
    return (0 if position is None else int(position) + 1,)


def _at(offset: int | None, *, records: int = 0, name: str = "0", phase: Phase = Phase.RUNNING) -> Standing:
    """A partition of which offsets 100 to 1099 are asked for."""
    return Standing(name, phase, _START, _END, _START if offset is None else Place(str(offset)), records)


def _in_time(at_ms: int | None, *, start_ms: int | None = 0, name: str = "0") -> Standing:
    """A shard of which the first 100 seconds behind _T are asked for."""
    start = Place() if start_ms is None else Place("2025-11-24T16:00:00.000Z", _T + start_ms)
    place = start if at_ms is None else Place("49590338271490256608559692538361571095921575989136588898", _T + at_ms)
    return Standing(name, Phase.RUNNING, start, End(time_ms=_T + 100_000), place, 0)


class _Course:
    """A meter, and a clock that it is read by."""

    def __init__(self, *, kinesis: bool = False) -> None:
        self.clock = _HandClock()
        self.meter = ProgressMeter(kinesis_rank if kinesis else _offset, self.clock)

    def then(self, *standings: Standing, after_s: float = 0) -> JobProgress:
        self.clock.now_s += after_s
        return self.meter.measure(standings)


def test_offsets_measure_the_share_rate_and_remaining_time() -> None:
    """Half of the range is half, however many records it holds; the rest takes as long as the half did."""
    course = _Course()
    course.then(_at(None))
    progress = course.then(_at(599, records=50), after_s=10)
    (partition,) = progress.partitions
    assert partition.share == progress.share == pytest.approx(0.5)
    assert partition.records_per_second == progress.records_per_second == pytest.approx(5)
    assert partition.remaining_s == progress.remaining_s == pytest.approx(10)


def test_time_measures_a_range_that_ends_at_a_time() -> None:
    """A quarter of the time between start and end is a quarter, whatever arrived in it."""
    course = _Course(kinesis=True)
    course.then(_in_time(None))
    progress = course.then(_in_time(25_000), after_s=5)
    assert progress.share == pytest.approx(0.25)
    assert progress.remaining_s == pytest.approx(15)


def test_a_range_without_a_known_beginning_counts_from_the_first_record() -> None:
    """From the trim horizon nobody knows how far it is before something is read."""
    course = _Course(kinesis=True)
    assert course.then(_in_time(None, start_ms=None)).partitions[0].share is None
    assert course.then(_in_time(20_000, start_ms=None), after_s=1).share == 0
    assert course.then(_in_time(60_000, start_ms=None), after_s=1).share == pytest.approx(0.5)


def test_a_range_of_a_stream_that_ends_at_a_position_is_measured_by_sequence_numbers() -> None:
    """From the first one seen, where the beginning is a time."""
    course = _Course(kinesis=True)
    standing = Standing("0", Phase.RUNNING, Place("2025-11-24T16:00:00.000Z"), End(position="3000#2"), Place(), 0)
    assert course.then(standing).share == 0
    course.then(replace(standing, place=Place("1000#0")), after_s=1)
    assert course.then(replace(standing, place=Place("2500")), after_s=1).share == pytest.approx(0.75)


def test_of_two_bounds_the_nearer_one_counts() -> None:
    """The range ends at whichever is met first."""
    course = _Course(kinesis=True)
    standing = replace(_in_time(None), start=Place("1000", _T), end=End(position="2000", time_ms=_T + 100_000))
    course.then(standing)
    assert course.then(replace(standing, place=Place("1900", _T + 10_000)), after_s=1).share == pytest.approx(0.9)


def test_a_whole_is_said_only_of_what_is_done() -> None:
    """A lane whose last records are not durable yet is not done, wherever it has read to."""
    course = _Course()
    progress = course.then(_at(1099))
    assert progress.share is not None
    assert progress.share < 1
    progress = course.then(_at(1099, phase=Phase.DONE))
    assert progress.share == 1
    assert progress.remaining_s == progress.partitions[0].remaining_s == 0


def test_an_empty_range_is_neither_a_fault_nor_a_burden() -> None:
    """It has no length, so that it does not count among the others; a job of such ranges is done when they are."""
    course = _Course()
    empty = replace(_at(None, name="empty"), end=End(position="99"))
    course.then(empty, _at(None))
    progress = course.then(replace(empty, phase=Phase.DONE), _at(349), after_s=10)
    assert progress.share == pytest.approx(0.25)
    assert course.then(replace(empty, phase=Phase.DONE)).share == 1


def test_a_job_without_partitions_is_done() -> None:
    """An empty stream has nothing to wait for."""
    assert _Course().then() == JobProgress(1.0, 0, 0.0, 0.0, ())


def test_a_child_that_waits_counts_as_one_of_the_mean_length() -> None:
    """Half of the work of two shards of the same length lies behind when the first is done."""
    course = _Course(kinesis=True)
    parent, child = _in_time(None, name="a"), replace(_in_time(None, start_ms=None, name="b"), phase=Phase.WAITING)
    course.then(parent, child)
    progress = course.then(replace(_in_time(100_000, name="a"), phase=Phase.DONE), child, after_s=10)
    assert progress.share == pytest.approx(0.5)
    assert progress.remaining_s == pytest.approx(10)
    assert progress.partitions[1].share == 0
    assert progress.partitions[1].remaining_s is None


def test_the_longest_partition_bounds_the_remaining_time() -> None:
    """That most of the work is done fast does not help the one that is slow."""
    course = _Course()
    course.then(_at(None, name="fast"), _at(None, name="slow"))
    progress = course.then(_at(1098, name="fast"), _at(109, name="slow"), after_s=10)
    assert progress.remaining_s == pytest.approx(990)


def test_without_a_rate_nothing_is_promised() -> None:
    """Half a minute without progress: the remaining time is not known, the share is."""
    course = _Course()
    course.then(_at(None))
    course.then(_at(599, records=10), after_s=10)
    for _ in range(60):
        course.then(_at(599, records=10), after_s=1)
    progress = course.then(_at(599, records=10), after_s=1)
    assert progress.share == pytest.approx(0.5)
    assert progress.records_per_second == 0
    assert progress.remaining_s is progress.partitions[0].remaining_s is None


def test_the_slowest_come_first_and_those_done_not_at_all() -> None:
    """What runs, by the time that it needs, then what waits."""
    course = _Course()
    names = ("done", "fast", "waiting", "slow")
    phases = (Phase.DONE, Phase.RUNNING, Phase.WAITING, Phase.RUNNING)
    course.then(*(_at(None, name=name, phase=phase) for name, phase in zip(names, phases, strict=True)))
    places = (1099, 899, None, 199)
    later = zip(names, phases, places, strict=True)
    progress = course.then(*(_at(place, name=name, phase=phase) for name, phase, place in later), after_s=10)
    assert [each.partition for each in progress.slowest(9)] == ["slow", "fast", "waiting"]
    assert [each.partition for each in progress.slowest(1)] == ["slow"]
    assert progress.count(Phase.RUNNING) == 2


def test_asked_often_it_remembers_little() -> None:
    """Thousands of partitions, several looks a second: one sample a second is kept, for half a minute."""
    course = _Course()
    for look in range(1000):
        course.then(_at(100 + look // 2), after_s=0.1)
    assert len(course.meter._tracks["0"].shares._samples) < 40
