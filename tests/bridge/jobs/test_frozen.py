"""The range of a job as checkpoints keep it: frozen once, and done when nothing follows from it any more."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest

from bridge.errors import BridgeError, UsageError
from bridge.jobs.frozen import check_sink, check_source, check_whole, frozen, is_done, job_of
from bridge.jobs.located import ends_at
from bridge.jobs.span import Point, point
from checkpoints.base import Bound, Checkpoint
from connectors.base import Clock, End, Partition
from connectors.memory.faults import Faults
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource, MemoryStream
from connectors.memory.topic import MemoryTopic

NOW = point("--until", ["now"])
TIMED = Bound("", "now", None, None, end_ms=1_000)


class TimedSource(MemorySource):
    """Its ends are one time, as those of a stream are."""

    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        return {partition.id: End(time_ms=until_ms or 1_000) for partition in partitions}


def source() -> TimedSource:
    return TimedSource(MemoryStream("orders", 2, Clock()), Clock(), Faults())


def stored(*, finished: bool = False, bound: Bound | None = TIMED, source: str = "") -> Checkpoint:
    return Checkpoint("7", 900, finished=finished, saved_ms=1, source=source, sink="", bound=bound)


async def freeze(
    listing: Sequence[Partition], checkpoints: Mapping[str, Checkpoint], *since: str, until: Point = NOW
) -> Mapping[str, Bound | None]:
    start = point("--from", since) if since else None
    found = await frozen(source(), listing, checkpoints, start, until, now_ms=5)
    return {name: checkpoint.bound for name, checkpoint in found.items()}


async def test_a_new_job_holds_all_that_is_listed() -> None:
    """Closed shards and children too, and those whose parents have expired."""
    listing = (Partition("a", ("expired",)), Partition("b"), Partition("c", ("b",)))
    assert await freeze(listing, {}) == dict.fromkeys("abc", TIMED)


async def test_the_next_job_begins_where_the_mirror_stands_and_leaves_out_what_is_finished() -> None:
    """The bounds of the last one are gone; a partition that is not listed any more is not passed over in silence."""
    listing = (Partition("a"), Partition("b"))
    checkpoints = {"a": stored(finished=True), "b": stored(bound=replace(TIMED, is_reached=True)), "gone": stored()}
    expected = replace(TIMED, begin="7")
    assert await freeze(listing, checkpoints) == {"a": None, "b": expected, "gone": expected}


async def test_positions_leave_all_others_out_and_these_begin_where_a_mirror_does() -> None:
    """A checkpoint without a bound keeps their start for the mirror that comes after."""
    listing = (Partition("a"), Partition("b"))
    bounds = await freeze(listing, {}, "a/4", until=point("--until", ["a/9"]))
    assert bounds == {"a": Bound("a/4", "a/9", begin="3", end="9", end_ms=1_000), "b": None}


async def test_a_position_before_the_beginning_is_refused() -> None:
    """The range would be none."""
    with pytest.raises(UsageError, match="lies before"):
        await freeze((Partition("a"),), {"a": stored(bound=None)}, until=point("--until", ["a/3"]))


async def test_a_child_is_not_copied_before_the_parent_that_nobody_named() -> None:
    """Its keys would lose their order when the parent comes later."""
    listing = (Partition("a"), Partition("b", ("a",)))
    with pytest.raises(UsageError, match="copied whole before it"):
        await freeze(listing, {}, until=point("--until", ["b/3"]))
    assert (await freeze(listing, {"a": stored(finished=True)}, until=point("--until", ["b/3"])))["b"] is not None


def test_a_job_is_done_when_each_end_is_reached_and_no_child_of_what_finished_before_is_new() -> None:
    """Children of a partition that ended before the end of the range belong to it, listed then or not."""
    reached = stored(bound=replace(TIMED, is_reached=True))
    child = Partition("child", ("a",))
    assert not is_done({"a": stored(), "b": reached}, ())
    assert is_done({"a": stored(finished=True), "b": reached}, ())
    assert not is_done({"a": stored(finished=True), "b": reached}, (child,))
    assert is_done({"a": reached, "b": reached}, (child,))
    assert is_done({"a": stored(finished=True), "child": reached}, (child,))


def test_a_job_is_known_by_the_range_that_was_asked_for() -> None:
    """And a mirror that never had one has none."""
    assert job_of({"a": stored(bound=None), "b": stored()}) == ("", "now")
    assert job_of({"a": stored(bound=None)}) is None


def test_checkpoints_of_another_stream_are_not_gone_on_from() -> None:
    """A recreated stream is a named stop."""
    check_source({"a": stored(source="orders@1")}, source())
    with pytest.raises(BridgeError, match="recreated"):
        check_source({"a": stored(source="orders@0")}, source())


def test_a_job_that_was_stored_in_part_is_no_smaller_job() -> None:
    """What came after it has parents, however far back; what has none should have been in it."""
    later = (Partition("a"), Partition("child", ("a",)), Partition("grandchild", ("child",)))
    check_whole({"a": stored()}, later)
    with pytest.raises(BridgeError, match="b have none"):
        check_whole({"a": stored()}, (*later, Partition("b")))


def test_what_is_done_is_done_in_this_sink_alone() -> None:
    """A topic that was recreated, or another one under the same name of the mirror, holds nothing of it."""
    sink = MemorySink(MemoryTopic("orders", 1), Faults(), Random(1))
    check_sink({"a": stored(), "b": replace(stored(), sink=sink.identity)}, sink)
    with pytest.raises(BridgeError, match="another"):
        check_sink({"a": replace(stored(), sink="another")}, sink)


async def test_a_position_that_is_still_to_come_is_no_end() -> None:
    """It would be waited for without end; that of the last record is one."""
    stream = MemoryStream("orders", 1, Clock())
    stream.put(b"key", b"value")
    (shard,) = stream.shards
    there = MemorySource(stream, Clock(), Faults())
    assert await ends_at(there, {shard: "0"}) == {shard: End("0")}
    with pytest.raises(UsageError, match="still to come"):
        await ends_at(there, {shard: "1"})


@pytest.mark.parametrize(("since", "until"), [("a/5", "a/4"), ("a/5", "now")])
async def test_a_range_that_ends_before_the_position_where_it_begins_is_none(since: str, until: str) -> None:
    """Whether the end is named, or is where the partition ends now."""
    stream = MemoryStream("orders", 1, Clock())
    for _ in range(3 if until == "now" else 9):
        stream.put(b"key", b"value")
    (shard,) = stream.shards
    begin, end = since.replace("a", shard), until.replace("a", shard)
    asked = point("--from", [begin]), point("--until", [end])
    with pytest.raises(UsageError, match="before --from"):
        await frozen(MemorySource(stream, Clock(), Faults()), [Partition(shard)], {}, *asked, now_ms=5)
