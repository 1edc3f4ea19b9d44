"""What a cutover's gates measure, beside real mirrors between real servers."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from bridge.config import Configuration, load
from bridge.migration.gates.scene import Side
from bridge.migration.gates.silence import silent
from bridge.migration.measures.arrivals import Arrivals, arrivals
from bridge.migration.measures.ends import Ends, ends_of, read, written
from bridge.migration.measures.hidden import Hidden, hidden
from bridge.migration.measures.standing import standing, undrained
from bridge.migration.sides import Sides, opened
from connectors.base import Clock
from tests.bridge.migration.cutover.world import FakeScene, World
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.records import generate
from tests.support.resharding import split_one
from tests.support.route import Route, RouteFactory
from tests.support.topic_writer import abort_transaction, open_transaction
from tests.support.waiting import eventually, until
from tests.support.way import IntoKinesisFactory, Way

KEYS = 40


@asynccontextmanager
async def looking(config: Path) -> AsyncIterator[Sides]:
    configuration = await asyncio.to_thread(loaded, config)
    async with opened(configuration, Clock()) as sides:
        yield sides


def loaded(config: Path) -> Configuration:
    return load([str(config)], environment=os.environ)


async def until_drained(sides: Sides, ends: Ends) -> None:
    async def holds() -> bool:
        return not await undrained(sides, ends)

    await until(holds, "drained")


class Watched(FakeScene):
    """The sides as they are, for the gates that ask for silence."""

    def __init__(self, sides: Sides) -> None:
        super().__init__(World())
        self._logs = {Side.OLD: sides.source, Side.NEW: sides.sink}
        self.veils = 0
        """How often anything was hidden."""

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def ends(self, side: Side) -> Ends:
        return await ends_of(self._logs[side])

    async def arrivals(self, side: Side, ends: Ends) -> Arrivals:
        return await arrivals(self._logs[side], ends)

    async def hidden(self, side: Side) -> Sequence[Hidden]:
        found = await hidden(self._logs[side])
        self.veils += bool(found)
        return found


@pytest.mark.parametrize("place", ["file", "topic"])
async def test_a_drained_mirror_has_everything_in_its_sink(route: RouteFactory, place: str) -> None:
    """What arrived before the recorded ends is there as soon as no shard is behind them, empty shards included."""
    way, sent = route(shards=4), list(generate(3_000, KEYS))
    in_topic = {"checkpoints": {"sqlite": None, "kafka": {"topic": f"checkpoints-{way.topic}", "slots": 2}}}
    async with way.mirror(in_topic if place == "topic" else None) as mirror, looking(mirror.config) as sides:
        assert await undrained(sides, await ends_of(sides.source)) == ()
        await way.write(sent)
        ends = read(written(await ends_of(sides.source)))
        await until_drained(sides, ends)
        arrived = {each for ids in (await way.ids_by_key()).values() for each in ids}
        assert arrived == {each.id for each in sent}
        assert len((await standing(sides)).workers) == 1
        assert await mirror.stop() == 0
        assert (await standing(sides)).workers == ()


async def test_a_mirror_that_stands_is_behind_what_was_written_since(route: RouteFactory) -> None:
    """The shards that hold it are named, with the time at which the first of it arrived; the others are not."""
    way = route(shards=4)
    async with way.mirror() as mirror, looking(mirror.config) as sides:
        await way.write(generate(500, KEYS))
        await mirror.until_written(500)
        assert await mirror.stop() == 0
        began_ms = int(time.time()) * 1000
        await way.write(generate(1, 1))
        ends = await ends_of(sides.source)
        [behind] = await undrained(sides, ends)
        assert behind.unread_ms is not None
        assert behind.unread_ms >= began_ms
        mirror.start()
        await until_drained(sides, ends)


async def test_a_shard_that_splits_before_the_mirror_comes_there_is_drained_with_its_children(
    route: RouteFactory, draw: Random
) -> None:
    """Neither the closed shard nor what follows it holds the barrier up, or is taken for drained too early."""
    way, sent = route(shards=2), list(generate(600, KEYS))
    async with way.mirror() as mirror, looking(mirror.config) as sides:
        await mirror.kill()
        await way.write(sent)
        ends = await ends_of(sides.source)
        await asyncio.to_thread(split_one, way.source, draw)
        assert await undrained(sides, ends)
        mirror.start()
        await until_drained(sides, ends)
        arrived = {each for ids in (await way.ids_by_key()).values() for each in ids}
        assert arrived == {each.id for each in sent}
        assert (await arrivals(sides.source, ends)).count == 0
        late = list(generate(100, KEYS, seed=2))
        await way.write(late)
        assert (await arrivals(sides.source, ends)).count == len(late)


async def test_a_mirror_drains_to_the_end_of_a_topic_that_is_a_marker(into_kinesis: IntoKinesisFactory) -> None:
    """Behind an aborted transaction no record follows: the end is the last offset that readers could see."""
    way = into_kinesis(partitions=1)
    await way.write(generate(50, KEYS))
    async with way.mirror() as mirror, looking(mirror.config) as sides:
        await mirror.until_written(50)
        assert await mirror.stop() == 0
        await asyncio.to_thread(abort_transaction, way.source.address, way.source.name)

        async def is_marked() -> bool:
            return (await ends_of(sides.source))["0"].position == "51"

        await until(is_marked, "the marker of the aborted transaction at the end")
        ends = await ends_of(sides.source)
        await until_drained(sides, ends)
        await way.write(generate(1, 1))
        assert [each.partition for each in await undrained(sides, await ends_of(sides.source))] == ["0"]


async def test_checkpoints_in_the_group_of_the_source_tell_as_much(into_kinesis: IntoKinesisFactory) -> None:
    """From Kafka to Kinesis they are offsets of the mirror's group; its members are the workers."""
    way = into_kinesis(partitions=3)
    name = f"mirror-{way.source.name}"
    async with way.mirror({"name": name, "checkpoints": "auto"}) as mirror, looking(mirror.config) as sides:
        await way.write(generate(300, KEYS))
        ends = await ends_of(sides.source)
        await until_drained(sides, ends)
        seen = await standing(sides)
        assert seen.has_begun
        assert len(seen.workers) == 1
        assert await mirror.stop() == 0
        await way.write(generate(30, KEYS))
        stopped = await standing(sides)
        assert stopped.workers == ()
        assert sum(lane.lag_records or 0 for lane in stopped.lanes) == 30


async def test_what_a_mirror_leaves_out_does_not_hold_the_barrier_up(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path
) -> None:
    """Records that came from the sink move the checkpoint of the mirror that skips them."""
    there, back = StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(2))
    forward, reverse = Way(tmp_path / "forward", there, back), Way(tmp_path / "reverse", back, there)
    async with forward.mirror() as one, reverse.mirror({"name": "reverse"}) as other:
        await forward.write(generate(200, KEYS))
        await one.until_written(200)
        async with looking(other.config.parent / "mirror.yaml") as sides:
            ends = await ends_of(sides.source)
            await until_drained(sides, ends)
            assert (await arrivals(sides.source, {})).count == 0
            assert len(await there.records()) == 200


async def test_what_the_sink_cannot_take_does_not_hold_the_barrier_up(route: RouteFactory) -> None:
    """It is in the dead letter."""
    way = route(shards=2, config={"max.message.bytes": "4000"})
    letters = {"on_error": "dead_letter", "dead_letter": {"file": {"path": str(way.folder / "letters.jsonl")}}}
    async with way.mirror(letters) as mirror, looking(mirror.config) as sides:
        await way.write([*generate(50, KEYS), *generate(10, KEYS, size=20_000)])
        await until_drained(sides, await ends_of(sides.source))
        assert await mirror.metric("kmbridge_dead_letter_records_total") == 10
        assert await mirror.stop() == 0


async def test_arrivals_are_native_records_behind_the_ends(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path
) -> None:
    """On either side, whatever a mirror writes among them."""
    there, back = StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(2))
    way = Way(tmp_path / "forward", there, back)
    async with way.mirror() as mirror, looking(mirror.config) as sides:
        await way.write(generate(100, KEYS))
        await mirror.until_written(100)
        stream_ends, topic_ends = await ends_of(sides.source), await ends_of(sides.sink)
        recorded_ms = max(end.time_ms or 0 for end in stream_ends.values())
        # The server stamps whole seconds: what it takes in this one counts as before the end.
        await eventually(lambda: time.time() * 1000 > recorded_ms, "another second")
        await way.write(generate(70, KEYS, seed=3))
        await back.write(generate(30, KEYS, seed=4))
        await mirror.until_written(170)
        assert (await arrivals(sides.sink, topic_ends)).count == 30
        found = await arrivals(sides.source, stream_ends)
        assert found.count == 70
        assert found.is_whole
        assert found.last is not None
        assert found.last.time_ms <= time.time() * 1000
        assert (await arrivals(sides.sink, {})).count == 30


async def test_a_mirrors_own_transactions_are_no_obstacle_to_silence(route: RouteFactory) -> None:
    """They hide something most of the time, and a gate waits for them; one that hangs, and hides producers, is told."""
    way = route(shards=2, partitions=1)
    in_topic = {"checkpoints": {"sqlite": None, "kafka": {"topic": f"checkpoints-{way.topic}", "slots": 2}}}
    slow = {**in_topic, "sink": {"kafka": {"commit_interval": "2s"}}}
    async with way.mirror(slow) as mirror, looking(mirror.config) as sides, asyncio.TaskGroup() as tasks:
        scene, written_for_good = Watched(sides), asyncio.Event()
        ends = await scene.ends(Side.NEW)
        writing = tasks.create_task(write_on(way, written_for_good))

        async def is_veiled() -> bool:
            found = await silent(scene, Side.NEW, ends)
            assert found.holds, found.missing
            return scene.veils > 0

        await until(is_veiled, "a transaction of the mirror seen open")
        with await asyncio.to_thread(open_transaction, way.kafka, way.topic):
            assert "an open transaction hides records" in (await silent(scene, Side.NEW, ends)).missing
        assert not writing.done()
        written_for_good.set()
        await writing
        assert await mirror.stop() == 0


async def write_on(way: Route, enough: asyncio.Event) -> None:
    """A few records after the other, until it is ``enough``."""
    seed = 0
    while not enough.is_set():
        await way.write(generate(50, KEYS, seed=seed))
        seed += 1
