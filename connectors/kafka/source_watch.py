"""Looks at a source's topic now and then, in a thread of its own."""

from collections.abc import Callable, Mapping
from threading import Event

from confluent_kafka import IsolationLevel

from connectors.base import Clock
from connectors.kafka.connection import Connection
from connectors.kafka.topic import Topic
from connectors.kafka.watch import Lookout, Sight

Tell = Callable[[Sight, Mapping[int, int], int], None]
"""Hears what the topic is, where its partitions end for their readers, and when that was asked."""


class SourceWatch:
    """Sees what fetching does not tell: a topic that is another, and that an idle partition has nothing new."""

    def __init__(
        self, connection: Connection, topic: Topic, isolation: IsolationLevel, clock: Clock, every_s: float
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._isolation = isolation
        self._clock = clock
        self._every_s = every_s

    def run(self, ended: Event, tell: Tell) -> None:
        """Look until ``ended``. Where no id is known nothing is looked at: such clusters may not answer at all."""
        if not self._topic.id or ended.wait(self._every_s):
            return
        lookout = Lookout(self._connection, ended)
        while not ended.is_set():
            asked_ms = self._clock.now_ms()
            sight = lookout.topic(self._topic.name)
            if sight is not None:
                partitions = range(sight.partitions)
                ends = lookout.ends(self._topic.name, partitions, self._isolation) if partitions else None
                tell(sight, ends or {}, asked_ms)
            ended.wait(self._every_s)
