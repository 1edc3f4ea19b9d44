"""Progress goes by position and time, whatever number of records lies in between."""

from bridge.jobs.progress import JobProgress, Meter, Standing, Stretch
from connectors.base import End, Place

_HOUR_MS = 3_600_000


def _rank(position: str | None) -> tuple[int, ...]:
    return (-1 if position is None else int(position),)


def _at(place: Place, records: int = 0, *, done: bool = False) -> Standing:
    return Standing(place, records, has_begun=True, is_done=done)


_WAITING = Standing(Place(), 0, has_begun=False, is_done=False)


def test_offsets_tell_how_far_it_is_and_how_long_it_takes() -> None:
    """Offsets that hold no record count as well: they are passed in the same way."""
    meter, stretches = Meter(_rank), {"0": Stretch(Place("99"), End("1099"))}
    meter.measure(0.0, stretches, {"0": _at(Place("99"))})
    progress = meter.measure(10.0, stretches, {"0": _at(Place("349"), 120)})
    (part,) = progress.partitions
    assert (part.share, part.records_per_second, part.remaining_s) == (0.25, 12.0, 30.0)
    assert progress.overall.share == 0.25
    assert progress.overall.remaining_s == 30.0


def test_watermarks_tell_where_only_the_end_s_time_is_known() -> None:
    """From the first record's time on, where reading begins at the oldest one."""
    meter, stretches = Meter(_rank), {"shard": Stretch(Place(), End(time_ms=10 * _HOUR_MS))}
    assert meter.measure(0.0, stretches, {"shard": _at(Place())}).overall.share is None
    meter.measure(1.0, stretches, {"shard": _at(Place("5", 2 * _HOUR_MS), 10)})
    progress = meter.measure(2.0, stretches, {"shard": _at(Place("9", 4 * _HOUR_MS), 20)})
    assert progress.overall.share == 0.25


def test_only_what_is_done_is_whole() -> None:
    """A lane at its end still has records on their way; one that was done before it began has none."""
    meter = Meter(_rank)
    stretches = {"0": Stretch(Place(), End("9")), "1": Stretch(Place(), End("-1"))}
    progress = meter.measure(0.0, stretches, {"0": _at(Place("9"), 10), "1": _at(Place(), done=True)})
    assert [part.share for part in progress.partitions] == [0.999, 1.0]
    assert progress.overall.state == "copying"
    done = meter.measure(1.0, stretches, {"0": _at(Place("9"), 10, done=True), "1": _at(Place(), done=True)})
    assert (done.overall.state, done.overall.share, done.overall.remaining_s) == ("done", 1.0, 0.0)


def test_a_child_that_waits_for_its_parents_counts_as_not_begun() -> None:
    """So the whole is not nearly done while children are still to come."""
    meter = Meter(_rank)
    stretches = {"child": Stretch(Place(), End("9")), "parent": Stretch(Place(), End("9"))}
    progress = meter.measure(0.0, stretches, {"child": _WAITING, "parent": _at(Place("9"), 10, done=True)})
    assert [(part.state, part.share) for part in progress.partitions] == [("waiting", 0.0), ("done", 1.0)]
    assert progress.overall.share == 0.5


def test_a_document_holds_the_whole_and_each_partition() -> None:
    """What a line of progress is, where no terminal is."""
    meter, stretches = Meter(_rank), {"0": Stretch(Place(), End("9"))}
    progress: JobProgress = meter.measure(0.0, stretches, {"0": _at(Place("4"), 5)})
    document = progress.to_json()
    assert document["name"] == "overall"
    assert document["partitions"] == [
        {"name": "0", "state": "copying", "share": 0.5, "records": 5, "records_per_second": 0.0, "remaining_s": None}
    ]
