"""What a consumer can tell about offsets. Every call blocks until the brokers answer, and raises ``KafkaException``."""

from collections.abc import Iterable

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, TopicPartition

from connectors.base import Place, RefusedError

BEGINNING: int = OFFSET_BEGINNING
"""Stands for the offset of the oldest record, whichever that is."""

_ANSWER_S = 10.0


def following(place: Place) -> int:
    """The offset that reading goes on at. Raises ``RefusedError`` for a position that is none."""
    if place.position is None:
        return BEGINNING
    if not place.position.isdecimal():
        raise RefusedError(
            "read a Kafka partition", f"{place.position!r} is not an offset", "correct it with checkpoints set"
        )
    return int(place.position) + 1


def before(offset: int, watermark_ms: int | None = None) -> Place:
    """The place from which reading goes on at ``offset``."""
    return Place(str(offset - 1) if offset > 0 else None, watermark_ms)


def bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Of the oldest record and behind the newest that readers can see."""
    return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_S)


def at_time(consumer: Consumer, topic: str, partitions: Iterable[int], time_ms: int | None) -> dict[int, int]:
    """For each partition where its first record of ``time_ms`` or later is; its end without a time, or without one."""
    moment = OFFSET_END if time_ms is None else time_ms
    asked = [TopicPartition(topic, partition, moment) for partition in partitions]
    found = consumer.offsets_for_times(asked, timeout=_ANSWER_S)
    behind = [each.partition for each in found if each.offset < 0]
    ends = at_time(consumer, topic, behind, None) if behind and time_ms is not None else {}
    return {each.partition: ends.get(each.partition, each.offset) for each in found}
