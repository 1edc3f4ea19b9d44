"""Notices in mid-run that a topic is another than the one that was opened."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin._listoffsets import OffsetSpec

from connectors.counted import counted
from connectors.kafka.connection import Connection, admin_client, kafka_error
from connectors.kafka.topic import Topic, topic_id

K = TypeVar("K")
T = TypeVar("T")

_ASK_S = 10
_STEP_S = 0.1


@dataclass(frozen=True, slots=True)
class Sight:
    """A topic as the cluster describes it now; without partitions where it has none of that name."""

    id: str
    partitions: int


class Lookout:
    """Asks about topics in mid-run. Blocks until there is an answer: None once ``ended``, or where there is none.

    What fails here fails for producers and consumers too, which tell it.
    """

    def __init__(self, connection: Connection, ended: Event) -> None:
        self._admin = admin_client(connection.settings())
        self._ended = ended

    def topic(self, name: str) -> Sight | None:
        try:
            answer = self._answer(self._admin.describe_topics(TopicCollection([name]), request_timeout=_ASK_S))
        except KafkaException as error:
            return Sight("", 0) if kafka_error(error).code() == KafkaError.UNKNOWN_TOPIC_OR_PART else None
        return None if answer is None else Sight(topic_id(answer[name]), len(answer[name].partitions))

    def ends(self, topic: str, partitions: Iterable[int], isolation: IsolationLevel) -> Mapping[int, int] | None:
        """The offsets behind the newest records that readers can see."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, partition): latest for partition in partitions}
        try:
            answer = self._answer(self._admin.list_offsets(asked, isolation_level=isolation, request_timeout=_ASK_S))
        except KafkaException:
            return None
        return None if answer is None else {each.partition: found.offset for each, found in answer.items()}

    def _answer(self, futures: "Mapping[K, Future[Any]]") -> dict[K, Any] | None:
        answers: dict[K, Any] = {}
        for asked, future in futures.items():
            while asked not in answers:
                if self._ended.is_set():
                    return None
                # Serves what the client has to tell, a login's renewal among it.
                self._admin.poll(0)
                try:
                    answers[asked] = future.result(_STEP_S)
                except TimeoutError:
                    continue
        return answers


class TopicWatch:
    """Looks at a topic's id and its number of partitions now and then, for a line that writes to it.

    librdkafka itself takes a topic that was recreated with as many partitions for the one that it knew.
    """

    def __init__(self, connection: Connection, topic: Topic, every_s: float) -> None:
        self._connection = connection
        self._topic = topic
        self._every_s = every_s

    def change(self, ended: Event) -> str | None:
        """What is no longer as it was, as soon as something is; None once ``ended``, or where no id is known.

        Blocks till then, and at the end for a fraction of a second: for a thread of its own.
        """
        if not self._topic.id or ended.wait(self._every_s):
            return None
        lookout = Lookout(self._connection, ended)
        while not ended.is_set():
            if (change := self._difference(lookout.topic(self._topic.name))) is not None:
                return change
            ended.wait(self._every_s)
        return None

    def _difference(self, seen: Sight | None) -> str | None:
        # A broker that is away, or has not heard of the topic: librdkafka waits for the one and tells the other.
        if seen is None or not seen.partitions:
            return None
        if seen.id and seen.id != self._topic.id:
            return f"the topic was recreated: its id was {self._topic.id} and is {seen.id}"
        if seen.partitions != self._topic.partitions:
            return f"the topic had {counted(self._topic.partitions, 'partition')} and has {seen.partitions}"
        return None
