import pytest

from checkpoints.base import CheckpointError, CheckpointReader, CheckpointStore
from checkpoints.memory import MemoryCheckpoints
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
