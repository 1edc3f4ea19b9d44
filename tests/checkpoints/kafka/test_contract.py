"""The promises of every store, kept by the one in Kafka."""

import pytest

from checkpoints.base import CheckpointReader, CheckpointStore
from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.store import KafkaCheckpointReader
from checkpoints.kafka.topic import CheckpointTopic
from tests.checkpoints.kafka.writing import SLOTS, place_in, store_in, unique
from tests.contracts.checkpoint_store import CheckpointStoreContract, Storage, checkpoint


class KafkaStorage(Storage):
    def __init__(self, address: str, topic: str) -> None:
        self._address = address
        self._topic = topic

    def store(self, mirror: str = "orders") -> CheckpointStore:
        place = self.place(mirror)
        store, _ = store_in(place, GroupFence(place.connection), f"{unique(mirror)}-0")
        return store

    def reader(self, mirror: str = "orders") -> CheckpointReader:
        return KafkaCheckpointReader(self.place(mirror))

    def place(self, mirror: str) -> CheckpointTopic:
        return place_in(self._address, self._topic, mirror)


class TestKafkaCheckpoints(CheckpointStoreContract):
    @pytest.fixture
    def storage(self, kafka: str, place: CheckpointTopic) -> Storage:
        return KafkaStorage(kafka, place.topic)

    async def test_a_second_owner_is_refused_at_once(self, storage: Storage) -> None:
        """Not here: the group says who owns a slot, and a second store is what a second worker enters."""
        async with storage.store() as first, storage.store() as second:
            await first.save({"a": checkpoint("1")})
            assert await second.take(range(SLOTS)) == {"a": checkpoint("1")}
