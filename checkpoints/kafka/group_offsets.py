"""The group's committed offsets of the slots: a transaction that would move them shows there."""

from collections.abc import Collection

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from checkpoints.kafka.connection import explanation, kafka_error

_NOT_YET = {
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._WAIT_COORD,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError.UNSTABLE_OFFSET_COMMIT,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}


class GroupOffsets:
    """Asks the group's coordinator. Blocks; for one thread."""

    def __init__(self, committed: Consumer, topic: str, group: str) -> None:
        """``committed`` is a consumer of the group with read_committed, which makes the coordinator hold back."""
        self._consumer = committed
        self._topic = topic
        self._group = group

    def are_settled(self, slots: Collection[int], timeout_s: float) -> bool:
        """Whether no transaction is open that sent offsets of ``slots`` for the group. Waits for that a while."""
        asked = [TopicPartition(self._topic, slot) for slot in slots]
        try:
            answered = self._consumer.committed(asked, timeout=timeout_s)
        except KafkaException as error:
            return self._is_settled(kafka_error(error))
        return all(each.error is None or self._is_settled(each.error) for each in answered)

    def _is_settled(self, error: KafkaError) -> bool:
        if error.code() in _NOT_YET:
            return False
        raise explanation(error, f"look up the offsets of group {self._group}")
