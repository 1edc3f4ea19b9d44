"""Looks at a source's topic now and then, in a thread of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

from confluent_kafka import IsolationLevel

from connectors.base import Clock
from connectors.kafka.connection import Connection
from connectors.kafka.topic import Topic
from connectors.kafka.watch import Lookout, Sight


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a topic, all of it after it was asked."""

    sight: Sight
    ends: Mapping[int, int]
    """Where its partitions end for their readers; empty where that was not told."""
    asked_ms: int
    """Milliseconds since the epoch."""
    asked_s: float
    """The same by the monotonic clock."""


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

    def run(self, ended: Event, tell: Callable[[Look], None]) -> None:
        """Look until ``ended``. Where no id is known nothing is looked at: such clusters may not answer at all."""
        if not self._topic.id or ended.wait(self._every_s):
            return
        lookout = Lookout(self._connection, ended)
        while not ended.is_set():
            asked_ms, asked_s = self._clock.now_ms(), self._clock.monotonic()
            sight = lookout.topic(self._topic.name)
            if sight is not None:
                partitions = range(sight.partitions)
                ends = lookout.ends(self._topic.name, partitions, self._isolation) if partitions else None
                tell(Look(sight, ends or {}, asked_ms, asked_s))
            ended.wait(self._every_s)
