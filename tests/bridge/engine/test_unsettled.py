"""Since when something behind a lane's position may be in the sink: how far a successor has to read back."""

from bridge.engine.progress import Progress
from connectors.base import Batch, Place

NOW_MS = 9000


def batch(number: int) -> Batch:
    return Batch("0", Place(str(number)), [str(number)], [b"k"], [b"v"], [1])


def test_a_running_lane_may_write_from_now_on() -> None:
    """Nothing is on its way, but the next record may be at any moment."""
    assert Progress(Place()).unsettled_ms(NOW_MS) == NOW_MS


def test_what_is_on_its_way_counts_from_the_oldest_submission() -> None:
    """Other keys may have overtaken it, and be in the sink behind the position."""
    progress = Progress(Place())
    progress.read(batch(0), 1000)
    progress.read(batch(1), 2000)
    assert progress.unsettled_ms(NOW_MS) == 1000
    progress.settle(batch(0), 1)
    assert progress.unsettled_ms(NOW_MS) == 2000
    progress.settle(batch(1), 1)
    assert progress.unsettled_ms(NOW_MS) == NOW_MS


def test_a_lane_that_ended_with_all_settled_left_cleanly() -> None:
    """Its successor has nothing to read back."""
    progress = Progress(Place())
    progress.read(batch(0), 1000)
    progress.settle(batch(0), 1)
    progress.is_ended = True
    assert progress.unsettled_ms(NOW_MS) is None


def test_what_was_given_up_counts_until_it_is_settled_again() -> None:
    """After a fault some of it may be in the sink, until the lane has passed it once more."""
    progress = Progress(Place())
    for number in range(3):
        progress.read(batch(number), 1000 + number)
    progress.settle(batch(0), 1)
    progress.rewind()
    progress.is_ended = True
    assert progress.unsettled_ms(NOW_MS) == 1001
    progress.read(batch(1), 5000)
    progress.settle(batch(1), 1)
    assert progress.unsettled_ms(NOW_MS) == 1001
    progress.read(batch(2), 6000)
    progress.settle(batch(2), 1)
    assert progress.unsettled_ms(NOW_MS) is None


def test_a_sink_without_a_clock_has_nothing_to_read_back() -> None:
    """Transactions leave nothing behind."""
    progress = Progress(Place())
    progress.read(batch(0), None)
    assert progress.unsettled_ms(None) is None
