"""What every checkpoint store promises, as tests: a subclass says where its checkpoints are kept."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import replace

import pytest

from checkpoints.base import Bound, Checkpoint, CheckpointReader, CheckpointStore, Gap, StoreBusyError

SKIPPED = Gap(lost_from="5#0", lost_to="9", cause="skipped by a person", noticed_ms=1_764_000_000_124, records=7)
GAP = Gap(lost_from="17", lost_to="2026-11-23T10:00:00Z", cause="trimmed: “späť”", noticed_ms=1_764_000_000_123)
BOUND = Bound("trim_horizon", "now", begin="17", end="99", end_ms=1_764_000_000_400, records=82, is_reached=True)


def checkpoint(position: str | None, *, finished: bool = False, gaps: tuple[Gap, ...] = ()) -> Checkpoint:
    return Checkpoint(
        position,
        watermark_ms=1_764_000_000_000 if position else None,
        finished=finished,
        saved_ms=1_764_000_000_500,
        source="kinesis orders 1764000000",
        sink="",
        gaps=gaps,
    )


class Storage(ABC):
    """A place that outlives its stores. ``store`` and ``reader`` make a new handle at each call.

    Partitions, positions and windows are whatever the store takes, the longest ones among them.
    """

    partitions = ("shardId-000000000000", "shardId-000000000001", "7")
    longest_position = "9" * 129 + "#12"
    longest_window = "ä" * 32_768

    @abstractmethod
    def store(self, mirror: str = "orders") -> CheckpointStore: ...

    @abstractmethod
    def reader(self, mirror: str = "orders") -> CheckpointReader: ...


class CheckpointStoreContract:
    """Subclasses are named ``Test…`` and give a fixture ``storage``, an empty one."""

    @pytest.fixture
    def storage(self) -> Storage:
        raise NotImplementedError

    async def test_a_mirror_that_never_ran_has_no_checkpoints(self, storage: Storage) -> None:
        """Nothing is invented where nothing was saved, by the owner or by a reader."""
        assert await storage.reader().load() == {}
        async with storage.store() as store:
            assert await store.load() == {}

    async def test_what_was_saved_is_loaded_again_in_every_field(self, storage: Storage) -> None:
        """A checkpoint comes back as it went, positions of 129 digits, missing ones, gaps, long windows and all."""
        first, second, third = storage.partitions
        long = checkpoint(storage.longest_position, gaps=(GAP, SKIPPED))
        saved = {
            first: replace(long, unsettled_ms=1_764_000_000_250, window=storage.longest_window, bound=BOUND),
            second: replace(checkpoint(None), paused_ms=1_764_000_000_500),
            third: replace(checkpoint("42", finished=True), unsettled_ms=0, bound=Bound("", "now", None, None, 5)),
        }
        async with storage.store() as store:
            await store.save(saved)
            assert await store.load() == saved
        async with storage.store() as store:
            assert await store.load() == saved

    async def test_a_save_replaces_what_it_names_and_leaves_the_rest(self, storage: Storage) -> None:
        """A partition keeps its checkpoint until a save names it."""
        async with storage.store() as store:
            await store.save({"0": checkpoint("1", gaps=(GAP,)), "1": checkpoint("1")})
            await store.save({"0": checkpoint("2")})
            await store.save({})
            assert await store.load() == {"0": checkpoint("2"), "1": checkpoint("1")}

    async def test_deleted_checkpoints_are_forgotten_and_unknown_ones_are_no_error(self, storage: Storage) -> None:
        """Delete forgets exactly what it names."""
        async with storage.store() as store:
            await store.save({"0": checkpoint("1"), "1": checkpoint("1")})
            await store.delete(["0", "2"])
            assert await store.load() == {"1": checkpoint("1")}

    async def test_what_was_loaded_stays_as_it_was(self, storage: Storage) -> None:
        """A loaded mapping is one moment: later saves do not change it."""
        async with storage.store() as store:
            await store.save({"0": checkpoint("1")})
            before = await store.load()
            await store.save({"0": checkpoint("2"), "1": checkpoint("1")})
            assert before == {"0": checkpoint("1")}

    async def test_mirrors_do_not_see_each_other(self, storage: Storage) -> None:
        """Checkpoints belong to a mirror by its name."""
        async with storage.store("orders") as store:
            await store.save({"0": checkpoint("1")})
        async with storage.store("payments") as store:
            await store.save({"0": checkpoint("9"), "1": checkpoint("9")})
            await store.delete(["1"])
        assert await storage.reader("orders").load() == {"0": checkpoint("1")}
        assert await storage.reader("payments").load() == {"0": checkpoint("9")}

    async def test_a_second_owner_is_refused_at_once(self, storage: Storage) -> None:
        """While one owns the checkpoints nobody else can, and the owner does not notice the attempt."""
        async with storage.store() as store:
            with pytest.raises(StoreBusyError):
                async with storage.store():
                    pass
            await store.save({"0": checkpoint("1")})
        async with storage.store() as store:
            assert await store.load() == {"0": checkpoint("1")}

    async def test_ownership_ends_when_the_owner_leaves_by_an_error(self, storage: Storage) -> None:
        """The next owner can begin whatever happened to the last."""
        failure = ZeroDivisionError()
        store = await storage.store().__aenter__()
        await store.save({"0": checkpoint("1")})
        await store.__aexit__(type(failure), failure, None)
        async with storage.store() as store:
            assert await store.load() == {"0": checkpoint("1")}

    async def test_a_reader_beside_the_owner_sees_what_is_saved(self, storage: Storage) -> None:
        """Reading needs no ownership, takes none away, and sees every finished save."""
        reader = storage.reader()
        async with storage.store() as store:
            for position in ("1", "2", "3"):
                await store.save({"0": checkpoint(position)})
                assert await reader.load() == {"0": checkpoint(position)}

    async def test_a_save_after_a_cancelled_one_is_the_one_that_stands(self, storage: Storage) -> None:
        """A cancelled save may take effect or not, whole, and never over a later one."""
        async with storage.store() as store:
            cancelled = asyncio.create_task(store.save({"0": checkpoint("1"), "1": checkpoint("1")}))
            await asyncio.sleep(0)
            cancelled.cancel()
            await asyncio.gather(cancelled, return_exceptions=True)
            await store.save({"0": checkpoint("2")})
            assert await store.load() in (
                {"0": checkpoint("2")},
                {"0": checkpoint("2"), "1": checkpoint("1")},
            )
