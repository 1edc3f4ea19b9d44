"""What of a side is compared: behind the barrier, and as far as was recorded."""

from bridge.jobs.span import Kind
from bridge.migration.cutover.stretch import range_of
from connectors.base import End


def test_of_a_topic_only_what_has_come_behind_the_barrier() -> None:
    """Partitions in which nothing has come are left out; where that is all there is nothing to compare."""
    barrier = {"0": End("41"), "1": End("-1"), "2": End("7")}
    found = range_of({"0": End("50"), "1": End("3"), "2": End("7")}, barrier)
    assert found is not None
    assert found.start.positions == {"0": "42", "1": "0"}
    assert found.until.positions == {"0": "50", "1": "3"}
    assert range_of(barrier, barrier) is None


def test_of_a_stream_what_arrived_between_two_times() -> None:
    """Both ends in milliseconds, as they were recorded."""
    found = range_of({"a": End(time_ms=2_000), "b": End(time_ms=2_000)}, {"a": End(time_ms=1_000)})
    assert found is not None
    assert (found.start.kind, found.start.time_ms, found.until.time_ms) == (Kind.TIME, 1_001, 2_000)


def test_without_a_barrier_from_the_oldest_record_on() -> None:
    """As the mirror forward has it."""
    found = range_of({"0": End("5")}, None)
    assert found is not None
    assert (found.start.kind, found.until.positions) == (Kind.OLDEST, {"0": "5"})
