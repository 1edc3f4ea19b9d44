"""What a replay that was stopped says of the rest."""

from bridge.jobs.replay_report import Outcome, ReplayedPartition, ReplayReport


def test_whoever_goes_on_knows_of_every_partition_that_is_not_complete() -> None:
    """Those in their midst by a position; the others, which have none, by name."""
    partitions = (
        ReplayedPartition("0", Outcome.COMPLETE, 9, "8"),
        ReplayedPartition("1", Outcome.STOPPED, 4, "3"),
        ReplayedPartition("2", Outcome.UNBEGUN, 0, None),
    )
    report = ReplayReport("id", "from", "to", "trim_horizon", "now", 13, 99, 1.0, {}, {}, partitions)
    assert (report.is_complete, report.rest, report.unbegun) == (False, ("1/3",), ("2",))
