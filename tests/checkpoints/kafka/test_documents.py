"""Documents in the checkpoint topic."""

import pytest

from checkpoints.documents import Documents
from checkpoints.kafka.documents.store import KafkaDocuments
from checkpoints.kafka.topic import CheckpointTopic
from tests.checkpoints.kafka.test_contract import KafkaStorage
from tests.checkpoints.kafka.writing import place_in
from tests.contracts.checkpoint_store import Storage
from tests.contracts.documents import DocumentsContract, Place


class KafkaPlace(Place):
    def __init__(self, address: str, topic: str) -> None:
        self._address = address
        self._topic = topic

    @property
    def storage(self) -> Storage:
        return KafkaStorage(self._address, self._topic)

    def documents(self, mirror: str = "orders") -> Documents:
        return KafkaDocuments(place_in(self._address, self._topic, mirror))

    @property
    def recipe(self) -> tuple[str, str]:
        place = place_in(self._address, self._topic)
        imports = (
            "from checkpoints.kafka.documents.store import KafkaDocuments\n"
            "from checkpoints.kafka.topic import CheckpointTopic"
        )
        arguments = f"{dict(place.connection)!r}, {place.mirror!r}, {place.group!r}, {place.topic!r}"
        return imports, f"KafkaDocuments(CheckpointTopic({arguments}))"


class TestKafkaDocuments(DocumentsContract):
    @pytest.fixture
    def place(self, kafka: str, place: CheckpointTopic) -> Place:
        return KafkaPlace(kafka, place.topic)
