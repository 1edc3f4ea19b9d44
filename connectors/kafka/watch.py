"""Notices in mid-run that a topic is another than the one that was opened."""

from concurrent.futures import Future
from threading import Event
from typing import Any, cast

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from connectors.kafka.connection import Connection
from connectors.kafka.topic import Topic, topic_id

_ASK_S = 10
_STEP_S = 0.1


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
        # What fails here fails for the producer too, which tells it.
        admin = AdminClient({**cast("dict[str, Any]", self._connection.settings()), "log_level": 0})
        while not ended.is_set():
            if (change := self._look(admin, ended)) is not None:
                return change
            ended.wait(self._every_s)
        return None

    def _look(self, admin: AdminClient, ended: Event) -> str | None:
        asked = TopicCollection([self._topic.name])
        try:
            (answer,) = admin.describe_topics(asked, request_timeout=_ASK_S).values()
            found = _result(admin, answer, ended)
        except KafkaException:
            # A broker that is away, or has not heard of the topic: librdkafka waits for the one and tells the other.
            return None
        if found is None:
            return None
        seen, partitions = topic_id(found), len(found.partitions)
        if seen and seen != self._topic.id:
            return f"the topic was recreated: its id was {self._topic.id} and is {seen}"
        if partitions != self._topic.partitions:
            return f"the topic had {self._topic.partitions} partitions and has {partitions}"
        return None


def _result(admin: AdminClient, answer: "Future[Any]", ended: Event) -> Any:
    """What ``answer`` came to; None if the watch ``ended`` before."""
    while not ended.is_set():
        # Serves what the client has to tell, a login's renewal among it.
        admin.poll(0)
        try:
            return answer.result(_STEP_S)
        except TimeoutError:
            continue
    return None
