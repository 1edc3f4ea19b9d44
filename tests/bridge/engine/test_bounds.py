"""What becomes of a bound when its partition is split or merged."""

from dataclasses import replace

from bridge.engine.lineage import inherited
from bridge.engine.progress import Progress
from bridge.engine.sieve import READ_BACK
from checkpoints.base import Bound
from connectors.base import Batch, Place

TIMED = Bound("trim_horizon", "now", begin="3", end=None, end_ms=1_000, records=7)


def test_a_child_ends_at_the_same_time_as_its_finished_parents() -> None:
    """From its beginning, and nothing of it is copied yet."""
    assert inherited([TIMED, TIMED]) == Bound("trim_horizon", "now", begin=None, end=None, end_ms=1_000)


def test_what_comes_behind_an_end_is_no_part_of_the_job() -> None:
    """All in a child is later than the end at which a parent went on, or than the position of one that had a last."""
    assert inherited([TIMED, replace(TIMED, is_reached=True)]) is None
    assert inherited([replace(TIMED, end="9", end_ms=None)]) is None
    assert inherited([]) is None


def _batch(position: int, count: int, skipped: int = 0) -> Batch:
    records = [b""] * count
    positions = [str(position)] * count
    return Batch("a", Place(str(position)), positions, records, records, [0] * count, skipped={READ_BACK: skipped})


def _records(progress: Progress, position: int) -> int:
    bound = progress.bound_at(Place(str(position)))
    assert bound is not None
    return bound.records


def test_records_are_counted_up_to_the_place_that_is_saved() -> None:
    """A commit covers places that the lane has not settled, also of what it has given up meanwhile."""
    progress = Progress(Place("0"), bound=TIMED)
    batches = [_batch(2, 2), _batch(5, 2, skipped=1)]
    for batch in batches:
        progress.read(batch)
    assert [_records(progress, place) for place in (0, 2, 5)] == [7, 9, 12]
    progress.rewind()
    assert [_records(progress, place) for place in (0, 2, 5)] == [7, 9, 12]
    progress.read(batches[0])
    progress.settle(batches[0], 1)
    assert _records(progress, 2) == 8


def test_a_bound_that_is_reached_counts_no_more() -> None:
    """Whoever goes on behind it copies other records."""
    progress = Progress(Place("0"), bound=TIMED)
    progress.reach()
    batch = _batch(4, 4)
    progress.read(batch)
    progress.settle(batch, 4)
    assert progress.bound_at(progress.place) == replace(TIMED, is_reached=True)
