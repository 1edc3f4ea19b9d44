"""Whatever the history: the new consumer sees all that the old one had not processed, and as much again as is told."""

from dataclasses import dataclass
from enum import Enum, auto
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bridge.migration.leases.lease import LeaseCheckpoint, Processed
from bridge.migration.translation.application import checkpoint_of
from bridge.migration.translation.checks import Checks
from bridge.migration.translation.errors import MirrorBehindError
from bridge.migration.translation.progress import ApplicationProgress, GroupProgress, Progress
from bridge.migration.translation.reach import Reach
from bridge.migration.translation.search import Found, Search
from bridge.migration.translation.survey import Move, Side
from tests.bridge.migration.translation.shelves import STREAM, TOPIC, Kept, ShelfLog
from tests.bridge.migration.translation.world import Chances, World

MARGIN_MS = 3_000
HARD_TO_GUESS = (218, 1438, 1895)
"""Of histories in which producers moved, and moved back long ago."""
ORDINARY = Chances()
ROUGH = Chances(drop=0.05, rewind=0.1)
MOVED = Chances(has_natives=True)
ROUGH_AND_MOVED = Chances(has_natives=True, drop=0.05)
SPLITTING = Chances(drop=0.05, split=0.5)

every_history = pytest.mark.parametrize("chances", [ORDINARY, ROUGH, MOVED, ROUGH_AND_MOVED])


@dataclass(frozen=True, slots=True)
class Known:
    """``sources`` are the addresses of the sides that are read by the mirrors of which configurations tell."""

    sources: tuple[str, ...]
    has_checkpoints: bool


class Lag(Enum):
    """Of the mirrors, at the end."""

    NONE = auto()
    SOME = auto()


knowledge = st.builds(Known, st.sampled_from([(STREAM,), (TOPIC,), (STREAM, TOPIC)]), st.booleans())
seeds = st.integers(0, 2**32)


@every_history
@given(seed=seeds, lag=st.sampled_from(Lag), known=knowledge)
@settings(max_examples=60, deadline=None)
async def test_a_group_sees_all_that_an_application_had_not_processed(
    chances: Chances, seed: int, lag: Lag, known: Known
) -> None:
    """Shards split and merge, aggregates are cut in two, mirrors lag: it misses nothing, and the count is exact."""
    world = lived(seed, chances, lag)
    leases = world.consume_stream()
    stream, topic = world.logs()
    progress = ApplicationProgress(leases, await stream.listed())
    found = await searched(world, (stream, topic), progress, known, to_application=False)
    seen = [each for name, kept in topic.shelf.records.items() for each in behind(kept, found, name)]
    assert_exact(world, topic, seen, ids(stream, progress), found, known)


@pytest.mark.parametrize("both", [Known((STREAM, TOPIC), has_checkpoints=known) for known in (True, False)])
@pytest.mark.parametrize("seed", HARD_TO_GUESS)
async def test_what_a_mirror_carries_back_is_not_given_up_where_no_copy_of_it_is_near(seed: int, both: Known) -> None:
    """Told of both mirrors, the group misses nothing where copies near the application's place show only one."""
    assert await missed_by_a_group(seed, both) == set()
    assert await missed_by_a_group(seed, Known((STREAM,), has_checkpoints=True)), "else it shows nothing"


@every_history
@given(seed=seeds, lag=st.sampled_from(Lag), known=knowledge)
@settings(max_examples=60, deadline=None)
async def test_an_application_sees_all_that_a_group_had_not_processed(
    chances: Chances, seed: int, lag: Lag, known: Known
) -> None:
    """Likewise; a lease's checkpoint is always that of a record in its shard, or the beginning, or the end."""
    world = lived(seed, chances, lag)
    progress = GroupProgress(world.consume_topic())
    stream, topic = world.logs()
    found = await searched(world, (stream, topic), progress, known, to_application=True)
    leases: dict[str, LeaseCheckpoint] = {
        name: checkpoint_of(each, is_ended=world.shards[name].closed) for name, each in found.cuts.items()
    }
    for name, lease in leases.items():
        assert not isinstance(lease, Processed) or lease.sequence in {
            each.position.partition("#")[0] for each in stream.shelf.records[name]
        }
    begun = ApplicationProgress(leases, await stream.listed())
    seen = [
        each
        for name, kept in stream.shelf.records.items()
        for each in kept
        if not begun.has_processed(name, each.position)
    ]
    assert_exact(world, stream, seen, ids(topic, progress), found, known)


@given(seed=seeds, lag=st.sampled_from(Lag), known=st.builds(Known, st.just((STREAM,)), st.booleans()))
@settings(max_examples=60, deadline=None)
async def test_an_application_sees_a_record_of_which_a_group_had_not_processed_every_part(
    seed: int, lag: Lag, known: Known
) -> None:
    """Parts of one record may be in partitions of which the group has come further in one than in another."""
    world = lived(seed, SPLITTING, lag)
    draw = Random(seed)
    progress = GroupProgress({str(number): draw.randint(0, len(log)) for number, log in enumerate(world.topic)})
    stream, topic = world.logs()
    found = await searched(world, (stream, topic), progress, known, to_application=True)
    leases = {name: checkpoint_of(each, is_ended=world.shards[name].closed) for name, each in found.cuts.items()}
    begun = ApplicationProgress(leases, await stream.listed())
    unread = {
        each.id
        for name, kept in topic.shelf.records.items()
        for each in kept
        if not progress.has_processed(name, each.position)
    }
    seen = {
        each.id
        for name, kept in stream.shelf.records.items()
        for each in kept
        if not begun.has_processed(name, each.position)
    }
    assert unread <= seen


@given(seed=seeds, lag=st.sampled_from(Lag), known=st.builds(Known, st.just((STREAM,)), st.booleans()))
@settings(max_examples=60, deadline=None)
async def test_a_group_sees_every_part_of_what_an_application_had_not_processed(
    seed: int, lag: Lag, known: Known
) -> None:
    """And begins behind no part of a record that is still to come."""
    world = lived(seed, SPLITTING, lag)
    leases = world.consume_stream()
    stream, topic = world.logs()
    progress = ApplicationProgress(leases, await stream.listed())
    found = await searched(world, (stream, topic), progress, known, to_application=False)
    processed = ids(stream, progress)
    seen = {(name, each.position) for name, kept in topic.shelf.records.items() for each in behind(kept, found, name)}
    wanted = {
        (name, each.position) for name, kept in topic.shelf.records.items() for each in kept if each.id not in processed
    }
    assert wanted <= seen


async def missed_by_a_group(seed: int, known: Known) -> set[int]:
    """What neither the application has processed nor the group sees, where all is mirrored."""
    world = lived(seed, MOVED, Lag.NONE)
    leases = world.consume_stream()
    stream, topic = world.logs()
    progress = ApplicationProgress(leases, await stream.listed())
    found = await searched(world, (stream, topic), progress, known, to_application=False)
    seen = {each.id for name, kept in topic.shelf.records.items() for each in behind(kept, found, name)}
    return {each.id for kept in topic.shelf.records.values() for each in kept} - ids(stream, progress) - seen


def lived(seed: int, chances: Chances, lag: Lag) -> World:
    world = World(Random(seed), chances)
    world.live(Random(seed).randint(0, 120))
    if lag is Lag.NONE:
        world.drain()
    return world


async def searched(
    world: World, sides: tuple[ShelfLog, ShelfLog], progress: Progress, known: Known, *, to_application: bool
) -> Found:
    """The search as it is made with what a configuration says; nothing where the consumer is past a mirror's end."""
    stream, topic = sides
    old, new = (topic, stream) if to_application else (stream, topic)
    checkpoints = {
        old.address: world.checkpoints_of_topic() if to_application else world.checkpoints_of_stream(),
        new.address: world.checkpoints_of_stream() if to_application else world.checkpoints_of_topic(),
    }
    is_carried = new.address in known.sources

    def reach(source: ShelfLog, sink: ShelfLog) -> Reach:
        is_known = known.has_checkpoints and source.address in known.sources
        return Reach(source, sink, checkpoints[source.address] if is_known else {})

    move = Move(
        old,
        new,
        progress,
        reach(old, new),
        reach(new, old),
        is_carried=is_carried,
        may_rerun=world.chances.rewind > 0 and not to_application,
        needs_record=to_application,
        margin_ms=MARGIN_MS,
        is_transformed=world.chances.split > 0,
    )
    found = await Search(move, await Side.of(old, 0), await Side.of(new, 0)).run()
    try:
        Checks(move, found, is_mirrored=old.address in known.sources, begins_late=False).raise_behind()
    except MirrorBehindError:
        # What was dropped last, and what is still to come, only a mirror's checkpoints tell apart.
        assume((known.has_checkpoints and old.address in known.sources) or not world.dropped)
        raise
    return found


def behind(kept: list[Kept], found: Found, name: str) -> list[Kept]:
    first = found.cuts[name].first
    return [] if first is None else kept[int(first.position) :]


def ids(log: ShelfLog, progress: Progress) -> set[int]:
    return {
        each.id
        for name, kept in log.shelf.records.items()
        for each in kept
        if progress.has_processed(name, each.position)
    }


def assert_exact(
    world: World, new: ShelfLog, seen: list[Kept], processed: set[int], found: Found, known: Known
) -> None:
    # Where nobody tells of a mirror that carries back what the new side has of its own, and no copy shows it, that is
    # others' and only counted.
    is_carried = new.address in known.sources or found.survey.is_carried
    concerned = [each for kept in new.shelf.records.values() for each in kept if each.headers or is_carried]
    assert {each.id for each in concerned} - processed - world.dropped <= {each.id for each in seen}
    assert sum(each.id in processed for each in seen) == sum(each.again for each in found.cuts.values())
    for name, each in found.cuts.items():
        first = [kept.id for kept in new.shelf.records[name] if each.first and kept.position == each.first.position]
        assert not processed.intersection(first)
