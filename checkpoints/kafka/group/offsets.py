"""What a group has committed, as its coordinator tells anybody who asks."""

import time
from collections.abc import Collection, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from checkpoints.kafka.connection import ANSWER_S, answers, kafka_error
from checkpoints.kafka.group.committer import CommittedOffset, ConsumerGroup
from checkpoints.kafka.group.refusals import explained

# What brokers say while the group's coordinator begins, or is another.
_MOVING = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
_AGAIN_S = 0.1


class GroupOffsets:
    """Asks without being a member, which disturbs nobody. Blocks for some seconds at the most; for one thread."""

    def __init__(self, place: ConsumerGroup, admin: AdminClient) -> None:
        self._place = place
        self._admin = admin

    def look_up(self, partitions: Collection[int] | None = None) -> Mapping[int, CommittedOffset]:
        """What is committed for ``partitions``, or for all there are; those for which nothing is are left out.

        Raises ``CheckpointError``.
        """
        topic = self._place.topic
        asked = None if partitions is None else [TopicPartition(topic, each) for each in partitions]
        with explained(f"look up the offsets of group {self._place.group}", self._place):
            found = self._ask(ConsumerGroupTopicPartitions(self._place.group, asked))
        for each in found:
            if each.error is not None:
                with explained(f"look up the offset of partition {each.partition}", self._place):
                    raise KafkaException(each.error)
        return {
            each.partition: CommittedOffset(each.offset, each.metadata or "")
            for each in found
            if each.topic == topic and each.offset >= 0
        }

    def _ask(self, asked: ConsumerGroupTopicPartitions) -> Collection[TopicPartition]:
        deadline = time.monotonic() + ANSWER_S
        while True:
            futures = self._admin.list_consumer_group_offsets([asked], request_timeout=ANSWER_S)
            try:
                (answer,) = answers(futures).values()
            except KafkaException as error:
                if kafka_error(error).code() not in _MOVING or time.monotonic() > deadline:
                    raise
            else:
                return answer.topic_partitions or ()
            self._admin.poll(_AGAIN_S)
