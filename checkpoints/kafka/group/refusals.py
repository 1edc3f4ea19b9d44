"""Why a group's offsets cannot be read or committed, and what a person can do about it."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from checkpoints.base import CheckpointError, FencedError, StoreRefusedError
from checkpoints.kafka.connection import explanation, kafka_error
from checkpoints.kafka.group.committer import ConsumerGroup

EXPELLED = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.FENCED_MEMBER_EPOCH,
    KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001
}
"""What brokers say to who commits as a member, and is none any more."""


@contextmanager
def explained(operation: str, place: ConsumerGroup) -> Iterator[None]:
    """Turns what the cluster refuses or does not answer into an error which says what to do."""
    try:
        yield
    except KafkaException as error:
        raise refusal(kafka_error(error), operation, place) from error


def refusal(error: KafkaError, operation: str, place: ConsumerGroup) -> CheckpointError:
    """What to raise for ``error``."""
    code, text = error.code(), error.str()
    if code in EXPELLED:
        return FencedError(operation, text, "this worker was away for longer than its session; it joins again")
    if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return StoreRefusedError(operation, text, f"grant Describe and Read on topic {place.topic}")
    if code == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return StoreRefusedError(operation, text, f"grant Describe and Read on group {place.group}")
    if code == KafkaError.OFFSET_METADATA_TOO_LARGE:
        hint = "set offset.metadata.max.bytes of the brokers to 4096 or more, or name another store with checkpoints"
        return StoreRefusedError(operation, text, hint)
    if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return CheckpointError(operation, text, f"check that topic {place.topic} is there, and has these partitions")
    return explanation(error, operation)
