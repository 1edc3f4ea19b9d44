"""Topics of a test's broker, through the client that is not under test in them."""

from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.support.waiting import wait_until

_TIMEOUT_S = 30


def create_topic(address: str, name: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
    """Create it and return when its leaders are known."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
    admin.create_topics([topic], operation_timeout=_TIMEOUT_S)[name].result(_TIMEOUT_S)


def add_partitions(address: str, name: str, partitions: int) -> None:
    """Let it have ``partitions`` in all, and return when its broker has heard of them."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    admin.create_partitions([NewPartitions(name, partitions)], operation_timeout=_TIMEOUT_S)[name].result(_TIMEOUT_S)
    until_known(address, name, partitions)


def until_known(address: str, name: str, partitions: int) -> None:
    """Wait until its broker, which lags behind the controller, knows all of ``partitions``."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    wait_until(lambda: len(admin.list_topics(name, timeout=_TIMEOUT_S).topics[name].partitions) == partitions, name)


def delete_records(address: str, name: str, before: Mapping[int, int]) -> None:
    """Let the log of each partition begin at the offset ``before`` says, and return when it does."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    asked = [TopicPartition(name, partition, offset) for partition, offset in before.items()]
    for answer in admin.delete_records(asked).values():
        answer.result(_TIMEOUT_S)


def delete_topic(address: str, name: str) -> None:
    """Delete it; one that is gone already is none of our business."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    try:
        admin.delete_topics([name], operation_timeout=_TIMEOUT_S)[name].result(_TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise


def cluster_id(address: str) -> str:
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    return str(admin.list_topics(timeout=_TIMEOUT_S).cluster_id)


def delete_group(address: str, name: str) -> None:
    """Delete a group that has no members, with its offsets."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    admin.delete_consumer_groups([name], request_timeout=_TIMEOUT_S)[name].result(_TIMEOUT_S)
