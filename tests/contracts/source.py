"""What every source promises, as tests: a subclass says how records get into it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from bridge.engine.bounded import BoundedSource
from bridge.engine.budget import ByteBudget
from connectors.base import Batch, Clock, Partition, Place, Position, Source
from tests.support.waiting import eventually

_LIMIT = 64 * 2**20
_PATIENCE_S = 30


class World(ABC):
    """A source with two partitions that live as long as the test, and the means to fill them."""

    source: Source

    @abstractmethod
    async def put(self, key: bytes, value: bytes) -> None:
        """Returns when the record can be read."""


class SplittingWorld(World):
    """One whose partitions can be divided."""

    @abstractmethod
    async def split(self, partition: str) -> None:
        """End ``partition``; two others take its place."""


async def listing(source: Source, minimum: int) -> tuple[Partition, ...]:
    """The partitions as soon as there are ``minimum`` of them."""
    async with asyncio.timeout(_PATIENCE_S):
        async for partitions in source.partitions():
            if len(partitions) >= minimum:
                return partitions
    raise AssertionError("partitions() ended")


async def take(source: Source, partition: Partition, after: Place, count: int) -> list[Batch]:
    """Batches until they hold ``count`` records; each is released."""
    batches: list[Batch] = []
    async with asyncio.timeout(_PATIENCE_S), aclosing(source.read(partition, after, ByteBudget(_LIMIT))) as reading:
        async for batch in reading:
            batches.append(batch)
            batch.release()
            if sum(map(len, batches)) >= count:
                break
    return batches


async def read_to_end(source: Source, partition: Partition, after: Place) -> list[Batch]:
    """All batches of a partition that is finished."""
    async with asyncio.timeout(_PATIENCE_S), aclosing(source.read(partition, after, ByteBudget(_LIMIT))) as reading:
        return [batch async for batch in reading]


async def read_bounded(source: BoundedSource, partition: Partition, after: Place) -> list[Batch]:
    """Batches up to the last; each is released."""
    batches: list[Batch] = []
    async with asyncio.timeout(_PATIENCE_S), aclosing(source.read(partition, after, ByteBudget(_LIMIT))) as reading:
        async for batch in reading:
            batches.append(batch)
            batch.release()
    assert batches[-1].is_last
    return batches


async def until_at_tip(source: Source, partition: Partition, after: Place) -> list[Batch]:
    """Batches up to the first that has no lag; each is released."""
    batches: list[Batch] = []
    async with asyncio.timeout(_PATIENCE_S), aclosing(source.read(partition, after, ByteBudget(_LIMIT))) as reading:
        async for batch in reading:
            batches.append(batch)
            batch.release()
            if batch.lag_ms == 0:
                break
    return batches


def _positions(batches: Sequence[Batch]) -> list[Position]:
    return [position for batch in batches for position in batch.positions]


def values(batches: Sequence[Batch]) -> list[bytes | None]:
    return [value for batch in batches for value in batch.values]


class SourceContract:
    """Subclasses are named ``Test…`` and give a fixture ``world``, entered and empty."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError

    async def _fill(self, world: World, count: int) -> tuple[Partition, list[bytes]]:
        """Records of one key; the partition that holds them, and their values in order."""
        sent = [b"value-%d" % number for number in range(count)]
        for value in sent:
            await world.put(b"key", value)
        partitions = await listing(world.source, 2)
        readers = [asyncio.create_task(take(world.source, each, Place(), count)) for each in partitions]
        done, waiting = await asyncio.wait(readers, return_when=asyncio.FIRST_COMPLETED, timeout=_PATIENCE_S)
        for reader in waiting:
            reader.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return partitions[readers.index(done.pop())], sent

    async def test_lists_every_partition_at_once(self, world: World) -> None:
        """The first listing is complete, and nobody has parents that never were."""
        async for partitions in world.source.partitions():
            assert len(partitions) == 2
            assert all(not partition.parents for partition in partitions)
            break

    async def test_reads_a_partition_in_order_from_its_beginning(self, world: World) -> None:
        """Every record, once, as it was put, key and value."""
        partition, sent = await self._fill(world, 12)
        batches = await take(world.source, partition, Place(), len(sent))
        assert values(batches) == sent
        assert {key for batch in batches for key in batch.keys} == {b"key"}

    async def test_batches_are_consistent(self, world: World) -> None:
        """Columns of equal length, the place at the last record, sizes and arrival times that make sense."""
        partition, sent = await self._fill(world, 5)
        for batch in await take(world.source, partition, Place(), len(sent)):
            columns = (batch.keys, batch.values, batch.timestamps_ms, batch.positions)
            assert {len(column) for column in columns} == {len(batch)}
            assert batch.partition == partition.id
            assert batch.reservation is not None
            if len(batch):
                assert batch.place.position == batch.positions[-1]
                assert batch.size == sum(
                    len(record.key or b"") + len(record.value or b"") for record in batch.records()
                )
                assert min(batch.timestamps_ms) > 1_600_000_000_000

    async def test_resumes_strictly_after_any_position(self, world: World) -> None:
        """From each position it ever handed out, a reader gets exactly the records behind it."""
        partition, sent = await self._fill(world, 6)
        batches = await take(world.source, partition, Place(), len(sent))
        positions = [position for batch in batches for position in batch.positions]
        for index, position in enumerate(positions[:-1]):
            rest = await take(world.source, partition, Place(position), len(sent) - index - 1)
            assert values(rest) == sent[index + 1 :]

    async def test_begins_with_the_record_at_any_position(self, world: World) -> None:
        """What stands just before it is where everything in front of it is read."""
        partition, sent = await self._fill(world, 5)
        positions = _positions(await take(world.source, partition, Place(), len(sent)))
        for index, position in enumerate(positions):
            rest = await take(world.source, partition, world.source.just_before(position), len(sent) - index)
            assert values(rest) == sent[index:]

    async def test_ranks_positions_in_the_order_of_reading(self, world: World) -> None:
        """The beginning comes before all of them, and no two are the same."""
        partition, sent = await self._fill(world, 5)
        positions = _positions(await take(world.source, partition, Place(), len(sent)))
        ranks = [world.source.rank(position) for position in (None, *positions)]
        assert ranks == sorted(set(ranks))

    async def test_an_end_lies_behind_what_is_there_and_before_what_comes_later(self, world: World) -> None:
        """However much has come by the time at which it is met; a place at or behind it meets it at once."""
        partition, sent = await self._fill(world, 5)
        bounded = BoundedSource(world.source)
        bounded.bounds.update(await world.source.ends([partition], None))
        end_ms = bounded.bounds[partition.id].time_ms or 0
        await eventually(lambda: Clock().now_ms() > end_ms, "the end has passed")
        for number in range(20):
            await world.put(b"key", b"later-%d" % number)
        read = await read_bounded(bounded, partition, Place())
        assert values(read) == sent
        again = await read_bounded(bounded, partition, read[-1].place)
        assert values(again) == []
        # Records came behind it: neither is the tip.
        assert min(read[-1].lag_ms, again[-1].lag_ms) > 0

    async def test_goes_on_with_records_that_come_later(self, world: World) -> None:
        """A reader at the tip gets what is put afterwards, behind what it had."""
        partition, sent = await self._fill(world, 3)
        seen: list[bytes | None] = []
        async with (
            asyncio.timeout(_PATIENCE_S),
            aclosing(world.source.read(partition, Place(), ByteBudget(_LIMIT))) as reading,
        ):
            async for batch in reading:
                batch.release()
                seen += batch.values
                if len(seen) == len(sent):
                    await world.put(b"key", b"later")
                if len(seen) > len(sent):
                    break
        assert seen == [*sent, b"later"]

    async def test_says_that_it_is_at_the_tip_only_where_it_is(self, world: World) -> None:
        """A batch without lag ends at or behind all that was there when reading began, and is sure to come."""
        partition, sent = await self._fill(world, 25)
        at_tip = await until_at_tip(world.source, partition, Place())
        assert values(at_tip) == sent
        places = [batch.place for batch in at_tip]
        for number in range(3):
            await world.put(b"key", b"later-%d" % number)
            sent.append(b"later-%d" % number)
            for place in places:
                behind = 0 if place.position is None else 1 + _positions(at_tip).index(place.position)
                assert values(await until_at_tip(world.source, partition, place)) == sent[behind:]

    async def test_a_new_mirror_starts_at_the_beginning_if_told_so(self, world: World) -> None:
        """Every listed partition has a place, and reading from it gives every record."""
        partition, sent = await self._fill(world, 3)
        partitions = await listing(world.source, 2)
        places = await world.source.start(partitions)
        assert places.keys() == {each.id for each in partitions}
        assert values(await take(world.source, partition, places[partition.id], len(sent))) == sent

    async def test_holds_no_more_than_its_budget(self, world: World) -> None:
        """While a batch is not released, a budget of that size lets no other one through."""
        partition, sent = await self._fill(world, 4)
        budget = ByteBudget(1)
        async with (
            asyncio.timeout(_PATIENCE_S),
            aclosing(world.source.read(partition, Place(), budget)) as reading,
        ):
            batch = await anext(reading)
            await world.put(b"key", b"later")
            following = asyncio.ensure_future(anext(reading))
            assert not (await asyncio.wait([following], timeout=0.5))[0]
            batch.release()
            seen = list(batch.values)
            while len(seen) <= len(sent):
                batch = await following
                batch.release()
                seen += batch.values
                if len(seen) <= len(sent):
                    following = asyncio.ensure_future(anext(reading))
        assert seen == [*sent, b"later"]
        assert budget.used == 0

    async def test_cancelled_reading_leaves_nothing_reserved(self, world: World) -> None:
        """Whoever stops in the middle of a read gets the whole budget back."""
        partition, _ = await self._fill(world, 2)
        budget = ByteBudget(_LIMIT)

        async def consume() -> None:
            async with aclosing(world.source.read(partition, Place(), budget)) as reading:
                async for batch in reading:
                    batch.release()
                    seen.set()

        seen = asyncio.Event()
        task = asyncio.create_task(consume())
        await asyncio.wait_for(seen.wait(), _PATIENCE_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert budget.used == 0


class SplittingSourceContract(SourceContract):
    """For sources whose partitions end, and are followed by others."""

    @pytest.fixture
    def world(self) -> SplittingWorld:
        raise NotImplementedError

    async def test_a_finished_partition_ends_and_names_its_children(self, world: SplittingWorld) -> None:
        """After a split the parent ends behind its last record; the children, listed with their parent, go on."""
        partition, sent = await self._fill(world, 4)
        await world.split(partition.id)
        await world.put(b"key", b"in a child")
        assert values(await read_to_end(world.source, partition, Place())) == sent
        children = [each for each in await listing(world.source, 4) if each.parents]
        assert [each.parents for each in children] == [(partition.id,)] * 2
        readers = [asyncio.create_task(take(world.source, child, Place(), 1)) for child in children]
        done, waiting = await asyncio.wait(readers, return_when=asyncio.FIRST_COMPLETED, timeout=_PATIENCE_S)
        for reader in waiting:
            reader.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert values(done.pop().result()) == [b"in a child"]

    async def test_reports_new_partitions_while_it_runs(self, world: SplittingWorld) -> None:
        """A listing that changed is handed out whole, without asking anew."""
        reports = world.source.partitions()
        async with asyncio.timeout(_PATIENCE_S):
            before = await anext(reports)
            await world.split(before[0].id)
            after = await anext(reports)
            while len(after) < 4:
                after = await anext(reports)
        assert {each.id for each in before} < {each.id for each in after}
