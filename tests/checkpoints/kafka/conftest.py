"""Places in checkpoint topics of the shared broker, removed with the test."""

from collections.abc import Iterator

import pytest

from checkpoints.kafka.topic import CheckpointTopic
from tests.checkpoints.kafka.writing import SLOTS, place_in, unique, until_known
from tests.support.factories import TopicFactory
from tests.support.topics import delete_topic


@pytest.fixture
def place(kafka: str, topic: TopicFactory) -> CheckpointTopic:
    """The mirror orders in a topic of its own."""
    return until_known(place_in(kafka, topic(SLOTS, {"cleanup.policy": "compact"})))


@pytest.fixture
def absent(kafka: str) -> Iterator[CheckpointTopic]:
    """A place in a topic that does not exist yet."""
    place = place_in(kafka, unique("checkpoints"))
    yield place
    delete_topic(kafka, place.topic)
