"""What a group has committed, as its coordinator tells anybody who asks."""

import time
from collections.abc import Collection, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from checkpoints.kafka.connection import ANSWER_S, MOVING, consumer, kafka_error
from checkpoints.kafka.group.committer import CommittedOffset, ConsumerGroup
from checkpoints.kafka.group.refusals import explained

_AGAIN_S = 0.1


class GroupOffsets:
    """Asks without being a member, which disturbs nobody. Blocks for some seconds at the most; for one thread."""

    def __init__(self, place: ConsumerGroup) -> None:
        self._place = place
        with explained(f"reach Kafka for the offsets of {place}", place):
            # Not an AdminClient: that of librdkafka 2.16 ends the process where the coordinator is another or begins.
            # What goes wrong is raised by the call that it befalls; nobody polls for a log.
            self._consumer: Consumer = consumer({**place.connection, "log_level": 0}, place.group, "read_committed")

    def look_up(self, partitions: Collection[int] | None = None) -> Mapping[int, CommittedOffset]:
        """What is committed for ``partitions``, or for all of the topic; those for which nothing is are left out.

        Raises ``CheckpointError``.
        """
        with explained(f"look up the offsets of {self._place}", self._place):
            # Takes what the client had to tell meanwhile, which would heap up.
            self._consumer.poll(0)
            asked = self._all() if partitions is None else partitions
            found = self._committed([TopicPartition(self._place.topic, each) for each in asked])
        return {each.partition: CommittedOffset(each.offset, each.metadata or "") for each in found if each.offset >= 0}

    def close(self) -> None:
        self._consumer.close()

    def _all(self) -> Collection[int]:
        """None where there is no such topic."""
        topic = self._place.topic
        found = self._consumer.list_topics(topic, timeout=ANSWER_S).topics[topic]
        if found.error is not None and found.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(found.error)
        return set(found.partitions)

    def _committed(self, asked: Sequence[TopicPartition]) -> Sequence[TopicPartition]:
        deadline = time.monotonic() + ANSWER_S
        while asked:
            try:
                return _without_errors(self._consumer.committed(list(asked), ANSWER_S))
            except KafkaException as error:
                if kafka_error(error).code() not in MOVING or time.monotonic() > deadline:
                    raise
            time.sleep(_AGAIN_S)
        return ()


def _without_errors(found: Sequence[TopicPartition]) -> Sequence[TopicPartition]:
    for each in found:
        if each.error is not None:
            raise KafkaException(each.error)
    return found
