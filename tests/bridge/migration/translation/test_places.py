"""Single histories in which a place is easily missed."""

from collections.abc import Mapping, Sequence

from bridge.migration.leases.lease import LeaseCheckpoint, Processed, Sentinel
from bridge.migration.translation.checks import Checks
from bridge.migration.translation.progress import ApplicationProgress
from bridge.migration.translation.reach import Reach
from bridge.migration.translation.search import Found, Search
from bridge.migration.translation.survey import Move, Side
from checkpoints.base import Checkpoint
from connectors.base import ORIGIN_HEADER, Partition
from tests.bridge.migration.translation.shelves import STREAM, TOPIC, Kept, Shelf, ShelfLog

SHARD = Partition("shardId-000000000000")
OTHER = Partition("shardId-000000000001")
MARGIN_MS = 3_000
NOW_MS = 1_000_000


def native(position: int, time_ms: int, key: bytes = b"key") -> Kept:
    return Kept(str(position), key, 0, time_ms)


def from_stream(offset: int, sequence: int, time_ms: int, shard: Partition = SHARD) -> Kept:
    """In the topic."""
    hop = f"{STREAM}/{shard.id}/{sequence}>{TOPIC}".encode()
    return Kept(str(offset), b"key", 0, time_ms, ((ORIGIN_HEADER, hop),))


def from_topic(sequence: int, offset: int, time_ms: int) -> Kept:
    """In the stream."""
    return Kept(str(sequence), b"key", 0, time_ms, ((ORIGIN_HEADER, f"{TOPIC}/0/{offset}>{STREAM}".encode()),))


async def to_group(
    stream: Mapping[Partition, Sequence[Kept]],
    topic: Sequence[Kept],
    leases: Mapping[str, LeaseCheckpoint],
    checkpoints: Mapping[str, Checkpoint] | None = None,
    *,
    may_rerun: bool = False,
) -> tuple[Found, Checks]:
    """Of an application to a group, with a mirror from the stream into one partition of the topic."""
    old, new = ShelfLog(Shelf(STREAM, stream)), ShelfLog(Shelf(TOPIC, {Partition("0"): topic}))
    move = Move(
        old,
        new,
        ApplicationProgress(leases, tuple(stream)),
        Reach(old, new, checkpoints or {}),
        Reach(new, old, {}),
        is_carried=False,
        may_rerun=may_rerun,
        needs_record=False,
        margin_ms=MARGIN_MS,
    )
    found = await Search(move, await Side.of(old, NOW_MS), await Side.of(new, NOW_MS)).run()
    return found, Checks(move, found, is_mirrored=True, begins_late=True)


def first_of(found: Found) -> str | None:
    first = found.cuts["0"].first
    return None if first is None else first.position


async def test_copies_of_a_re_run_are_counted_wherever_they_stand() -> None:
    """A mirror that crashed long ago left processed records behind unprocessed ones of much later."""
    stream = {SHARD: [native(1, 10_000), native(2, 11_000), native(3, 90_000)]}
    topic = [from_stream(offset, sequence, time) for offset, (sequence, time) in enumerate([(1, 10_000), (2, 11_000)])]
    topic += [native(2 + number, 12_000 + 1_000 * number) for number in range(60)]
    topic += [from_stream(62, 1, 10_000), from_stream(63, 2, 11_000)]
    found, _ = await to_group(stream, topic, {SHARD.id: Processed("1")}, may_rerun=True)
    assert (first_of(found), found.cuts["0"].again) == ("1", 1)


async def test_what_nobody_carries_back_is_unread_where_it_stands_behind_everything() -> None:
    """Producers that have moved before a mirror back was begun: however long ago, their records are not passed."""
    stream = {SHARD: [native(1, 10_000)]}
    topic = [from_stream(0, 1, 10_000), native(1, 100_000), native(2, 101_000)]
    found, _ = await to_group(stream, topic, {SHARD.id: Processed("1")})
    assert (first_of(found), found.cuts["0"].left_out) == ("1", 0)


async def test_what_others_write_is_passed_with_what_stands_behind_it() -> None:
    """Where nobody carries it back it is others', and counted."""
    stream = {SHARD: [native(1, 10_000), native(2, 20_000)]}
    topic = [from_stream(0, 1, 10_000), native(1, 15_000), from_stream(2, 2, 20_000)]
    found, _ = await to_group(stream, topic, {SHARD.id: Processed("2")})
    assert (first_of(found), found.cuts["0"].left_out) == (None, 1)


async def test_processed_copies_tell_that_a_mirror_leads_back() -> None:
    """Then a record of the topic that it has not come to is unread, also before one that it has."""
    stream = {SHARD: [native(1, 10_000), from_topic(2, 2, 500_000)]}
    topic = [from_stream(0, 1, 10_000), native(1, 499_000, b"slow"), native(2, 499_500)]
    found, _ = await to_group(stream, topic, {SHARD.id: Processed("2")})
    assert (first_of(found), found.cuts["0"].again) == ("1", 1)


async def test_clocks_that_differ_hide_no_processed_copy() -> None:
    """The producer's clock is ahead of the stream's: the copy seems to be older than the record."""
    stream = {SHARD: [native(1, 10_000), from_topic(2, 2, 96_000), native(3, 97_200)], OTHER: [native(4, 100_000)]}
    topic = [from_stream(0, 1, 10_000), from_stream(1, 3, 97_200), native(2, 97_500)]
    topic.append(from_stream(3, 4, 100_000, OTHER))
    found, _ = await to_group(stream, topic, {SHARD.id: Processed("3"), OTHER.id: Sentinel.TRIM_HORIZON})
    assert (first_of(found), found.cuts["0"].again) == ("3", 0)


async def test_a_record_that_was_left_out_is_no_end_of_the_mirror() -> None:
    """The mirror's checkpoint tells that it is past it; the next record is the place."""
    stream = {SHARD: [native(1, 10_000), native(2, 11_000)]}
    topic = [from_stream(0, 1, 10_000)]
    passed = Checkpoint("2", None, finished=False, saved_ms=0, source="", sink="")
    found, checks = await to_group(stream, topic, {SHARD.id: Processed("2")}, {SHARD.id: passed})
    checks.raise_behind()
    assert first_of(found) is None


async def test_records_before_the_first_of_the_topic_are_a_gap() -> None:
    """From the first unprocessed one to the first that is there; nothing is said where the mirror has them all."""
    stream = {SHARD: [native(1, 10_000), native(2, 11_000), native(3, 12_000)]}
    found, checks = await to_group(stream, [from_stream(0, 3, 12_000)], {SHARD.id: Processed("1")})
    (gap,) = checks.gaps()
    assert (gap.partition, gap.lost_from, gap.lost_to, first_of(found)) == (SHARD.id, "2", "3", "0")
    _, checks = await to_group(
        stream, [from_stream(0, 2, 11_000), from_stream(1, 3, 12_000)], {SHARD.id: Processed("1")}
    )
    assert list(checks.gaps()) == []
