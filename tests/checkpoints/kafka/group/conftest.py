"""The group of a mirror that reads a topic of the shared broker."""

import pytest

from checkpoints.kafka.group.committer import ConsumerGroup
from tests.checkpoints.kafka.group.grouping import group_in
from tests.support.factories import TopicFactory


@pytest.fixture
def place(kafka: str, topic: TopicFactory) -> ConsumerGroup:
    """The group of mirror orders, which does not exist yet, and a topic of four partitions."""
    return group_in(kafka, topic(partitions=4))
