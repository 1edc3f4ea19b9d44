import asyncio
from collections.abc import Awaitable, Callable

import pytest

from checkpoints.base import CheckpointError, CheckpointReader, CheckpointStore
from checkpoints.memory import MemoryCheckpoints, MemorySlots, SharedMemoryCheckpoints, SlotChange, Writer
from tests.contracts.checkpoint_store import CheckpointStoreContract, Storage, checkpoint


class MemoryStorage(Storage):
    def __init__(self) -> None:
        self._stores: dict[str, MemoryCheckpoints] = {}

    def store(self, mirror: str = "orders") -> CheckpointStore:
        return self._stores.setdefault(mirror, MemoryCheckpoints())

    def reader(self, mirror: str = "orders") -> CheckpointReader:
        return self._stores.setdefault(mirror, MemoryCheckpoints())


class TestMemoryCheckpoints(CheckpointStoreContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return MemoryStorage()


class Failing:
    """Fails one operation, and notes all."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self.seen: list[str] = []

    async def __call__(self, operation: str) -> None:
        self.seen.append(operation)
        if operation == self._operation:
            raise CheckpointError(operation, "a fault on request")


async def test_a_fault_before_a_save_leaves_everything_as_it_was() -> None:
    """A refused save writes nothing."""
    store = MemoryCheckpoints({"a": checkpoint("1")}, fault=Failing("save"))
    with pytest.raises(CheckpointError):
        await store.save({"a": checkpoint("2"), "b": checkpoint("2")})
    assert await store.load() == {"a": checkpoint("1")}


async def test_a_fault_after_a_save_loses_only_the_answer() -> None:
    """The caller sees an error although the checkpoints are written."""
    store = MemoryCheckpoints(fault=Failing("saved"))
    with pytest.raises(CheckpointError):
        await store.save({"a": checkpoint("2")})
    assert await store.load() == {"a": checkpoint("2")}


async def test_every_operation_passes_the_fault() -> None:
    """Loads, saves and deletes can each be stalled or failed."""
    fault = Failing("never")
    store = MemoryCheckpoints(fault=fault)
    await store.load()
    await store.save({})
    await store.delete([])
    assert fault.seen == ["load", "save", "saved", "delete"]


class AtOnce(Writer):
    def prepare(self, change: SlotChange) -> Callable[[], Awaitable[None]]:
        async def write() -> None:
            change.end(committed=True)

        return write


class TestSharedMemoryCheckpoints(CheckpointStoreContract):
    """But for ownership, which a group decides."""

    @pytest.fixture
    def storage(self) -> Storage:
        return SharedStorage()

    async def test_a_second_owner_is_refused_at_once(self, storage: Storage) -> None:
        """Entering owns nothing."""


class SharedStorage(Storage):
    def __init__(self) -> None:
        self._slots: dict[str, MemorySlots] = {}

    def store(self, mirror: str = "orders") -> CheckpointStore:
        return SharedMemoryCheckpoints(self._slots.setdefault(mirror, MemorySlots(3)), AtOnce())

    def reader(self, mirror: str = "orders") -> CheckpointReader:
        return self.store(mirror)


@pytest.mark.parametrize("committed", [True, False])
async def test_who_takes_a_slot_waits_for_what_is_undecided_there(*, committed: bool) -> None:
    """A former owner's transaction is seen whole, or never."""
    slots = MemorySlots(1)
    change = SlotChange(slots, {"a": checkpoint("1")})
    change.hold()
    taking = asyncio.create_task(SharedMemoryCheckpoints(slots, AtOnce()).take([0]))
    await asyncio.sleep(0)
    assert not taking.done()
    change.end(committed=committed)
    assert await taking == ({"a": checkpoint("1")} if committed else {})
