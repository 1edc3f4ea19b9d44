"""Shares, rates and remaining times follow from where partitions stand."""

import pytest

from bridge.jobs.progress import JobProgress, Meter, PartProgress, Standing, State, Stretch
from connectors.base import End, Place, Position
from connectors.kinesis.position import rank as kinesis_rank

_T = 1_764_000_000_000
_OFFSETS = Stretch(Place("99"), End(position="1099"))
_EMPTY = Stretch(Place("99"), End(position="99"))
_IN_TIME = Stretch(Place("2025-11-24T16:00:00.000Z", _T), End(time_ms=_T + 100_000))
_FROM_OLDEST = Stretch(Place(), End(time_ms=_T + 100_000))
_WAITING = Standing(Place(), 0, has_begun=False, is_done=False)
_DONE = Standing(Place(), 0, has_begun=True, is_done=True)


def _offset(position: Position | None) -> tuple[int, ...]:
    return (0 if position is None else int(position) + 1,)


def _at(offset: int, *, records: int = 0) -> Standing:
    return Standing(Place(str(offset)), records, has_begun=True, is_done=False)


def _at_time(ms: int | None, position: Position | None = "4959033827149025660855969253836") -> Standing:
    place = Place() if ms is None else Place(position, _T + ms)
    return Standing(place, 0, has_begun=True, is_done=False)


class _Course:
    """A meter, and the time at which it is read."""

    def __init__(self, *stretches: Stretch, kinesis: bool = False) -> None:
        self.meter = Meter(kinesis_rank if kinesis else _offset)
        self._stretches = {str(number): stretch for number, stretch in enumerate(stretches)}
        self._now_s = 1000.0

    def then(self, *lanes: Standing, after_s: float = 0) -> JobProgress:
        """Each lane is that of the stretch at the same place."""
        self._now_s += after_s
        named = {str(number): lane for number, lane in enumerate(lanes)}
        return self.meter.measure(self._now_s, self._stretches, named)


def test_offsets_measure_the_share_rate_and_remaining_time() -> None:
    """Half of the range is half, however many records it holds; the rest takes as long as the half did."""
    course = _Course(_OFFSETS)
    course.then(_at(99))
    progress = course.then(_at(599, records=50), after_s=10)
    for part in (progress.overall, *progress.partitions):
        assert part.share == pytest.approx(0.5)
        assert part.records_per_second == pytest.approx(5)
        assert part.remaining_s == pytest.approx(10)


def test_time_measures_a_range_that_ends_at_a_time() -> None:
    """A quarter of the time between start and end is a quarter, whatever arrived in it."""
    course = _Course(_IN_TIME, kinesis=True)
    course.then(_at_time(0))
    progress = course.then(_at_time(25_000), after_s=5)
    assert progress.overall.share == pytest.approx(0.25)
    assert progress.overall.remaining_s == pytest.approx(15)


def test_a_range_without_a_known_beginning_counts_from_the_first_record() -> None:
    """From the trim horizon nobody knows how far it is before something is read."""
    course = _Course(_FROM_OLDEST, kinesis=True)
    progress = course.then(_at_time(None))
    assert progress.partitions[0].share is progress.overall.share is None
    assert course.then(_at_time(20_000), after_s=1).overall.share == 0
    assert course.then(_at_time(60_000), after_s=1).overall.share == pytest.approx(0.5)


def test_a_range_of_a_stream_that_ends_at_a_position_is_measured_by_sequence_numbers() -> None:
    """From the first one seen, where the beginning is a time."""
    course = _Course(Stretch(Place("2025-11-24T16:00:00.000Z"), End(position="3000#2")), kinesis=True)
    assert course.then(_at_time(None)).overall.share is None
    course.then(_at_time(0, "1000#0"), after_s=1)
    assert course.then(_at_time(0, "2500"), after_s=1).overall.share == pytest.approx(0.75)


def test_of_two_bounds_the_nearer_one_counts() -> None:
    """The range ends at whichever is met first."""
    course = _Course(Stretch(Place("1000", _T), End(position="2000", time_ms=_T + 100_000)), kinesis=True)
    course.then(_at_time(0, "1000"))
    assert course.then(_at_time(10_000, "1900"), after_s=1).overall.share == pytest.approx(0.9)


def test_a_whole_is_said_only_of_what_is_done() -> None:
    """A lane whose last records are not durable yet is not done, wherever it has read to."""
    course = _Course(_OFFSETS)
    progress = course.then(_at(1099))
    assert progress.overall.share is not None
    assert progress.overall.share < 1
    progress = course.then(_DONE)
    assert progress.overall.share == 1
    assert progress.overall.state is State.DONE
    assert progress.overall.remaining_s == progress.partitions[0].remaining_s == 0


def test_an_empty_range_is_neither_a_fault_nor_a_burden() -> None:
    """It has no length, so that it does not count among the others; a job of such ranges is done when they are."""
    course = _Course(_EMPTY, _OFFSETS)
    course.then(_at(99), _at(99))
    assert course.then(_DONE, _at(349), after_s=10).overall.share == pytest.approx(0.25)
    assert _Course(_EMPTY).then(_DONE).overall.share == 1


def test_a_job_without_partitions_is_done() -> None:
    """An empty stream has nothing to wait for."""
    assert _Course().then() == JobProgress(PartProgress("overall", State.DONE, 1.0, 0, 0.0, 0.0), ())


def test_a_child_that_waits_counts_as_one_of_the_mean_length() -> None:
    """Half of the work of two shards of the same length lies behind when the first is done."""
    course = _Course(_IN_TIME, _FROM_OLDEST, kinesis=True)
    course.then(_at_time(0), _WAITING)
    progress = course.then(_DONE, _WAITING, after_s=10)
    assert progress.overall.share == pytest.approx(0.5)
    assert progress.overall.state is State.COPYING
    assert progress.overall.remaining_s == pytest.approx(10)
    assert (progress.partitions[1].share, progress.partitions[1].remaining_s) == (0, None)


def test_the_longest_partition_bounds_the_remaining_time() -> None:
    """That most of the work is done fast does not help the one that is slow."""
    course = _Course(_OFFSETS, _OFFSETS)
    course.then(_at(99), _at(99))
    assert course.then(_at(1098), _at(109), after_s=10).overall.remaining_s == pytest.approx(990)


def test_without_a_rate_nothing_is_promised() -> None:
    """Half a minute without progress: the remaining time is not known, the share is."""
    course = _Course(_OFFSETS)
    course.then(_at(99))
    for _ in range(60):
        course.then(_at(599, records=10), after_s=1)
    progress = course.then(_at(599, records=10), after_s=1)
    for part in (progress.overall, *progress.partitions):
        assert part.share == pytest.approx(0.5)
        assert part.records_per_second == 0
        assert part.remaining_s is None


def test_the_slowest_come_first_and_those_done_not_at_all() -> None:
    """What runs, by the time that it needs, then what waits."""
    course = _Course(*[_OFFSETS] * 4)
    course.then(_DONE, _at(99), _WAITING, _at(99))
    progress = course.then(_DONE, _at(899), _WAITING, _at(199), after_s=10)
    assert [part.name for part in progress.slowest(9)] == ["3", "1", "2"]
    assert [part.name for part in progress.slowest(1)] == ["3"]
    assert progress.count(State.COPYING) == 2


def test_asked_often_it_remembers_little() -> None:
    """Thousands of partitions, several looks a second: one sample a second is kept, for half a minute."""
    course = _Course(_OFFSETS)
    for look in range(1000):
        course.then(_at(100 + look // 2), after_s=0.1)
    assert len(course.meter._tracks["0"].shares._samples) < 40


def test_a_document_holds_the_whole_and_the_slowest_partitions() -> None:
    """What a line of progress is, where no terminal is: with hundreds of partitions it stays a line."""
    course = _Course(*[_OFFSETS] * 300)
    document = course.then(*[_at(599, records=5)] * 200, *[_DONE] * 100).to_json()
    partitions = document.pop("partitions")
    assert document == {
        "name": "overall",
        "state": "copying",
        "share": 0.6667,
        "records": 1000,
        "records_per_second": 0.0,
        "remaining_s": None,
        "states": {"waiting": 0, "copying": 200, "done": 100},
    }
    assert isinstance(partitions, list)
    assert len(partitions) == 20
    assert partitions[0] == {
        "name": "0",
        "state": "copying",
        "share": 0.5,
        "records": 5,
        "records_per_second": 0.0,
        "remaining_s": None,
    }
