"""Writes batches into one Kafka topic, at least once, in order, with nothing lost."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException

from connectors.base import (
    Batch,
    Clock,
    Observer,
    Outcome,
    RefusedError,
    Rejected,
    Save,
    Scope,
    Sink,
    TransientError,
)
from connectors.kafka.connection import kafka_error, translate
from connectors.kafka.line import Line
from connectors.kafka.settings import KafkaSinkSettings
from connectors.kafka.statistics import Statistics
from connectors.kafka.topic import CreateTopic, Topic, TopicDesk
from connectors.kafka.watch import TopicWatch

log = logging.getLogger("connectors.kafka")

_AGAIN_S = 1.0


class KafkaSink(Sink):
    """Records go to the partition that every Java client would choose; the partition count is frozen on entering.

    What the topic's settings refuse is known by ``inspect``; a record that the broker refuses nevertheless breaks the
    scope, is found when it is submitted again, and rejected alone.
    """

    def __init__(self, settings: KafkaSinkSettings, clock: Clock, observer: Observer) -> None:
        """Raises ``SettingsError`` for librdkafka settings that only the bridge may choose."""
        settings.connection().settings()
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self._topic: Topic | None = None
        self._line: Line | None = None
        self._beginning = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._topic = await self._look_up(self._settings.create_topic)
        self._line = await self._open(self._topic, careful=0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            await self._line.close()

    @property
    def identity(self) -> str:
        """The topic's id and its number of partitions, by which keys find theirs; empty where no id is told."""
        topic = self._entered
        return f"{topic.id} with {topic.partitions} partitions" if topic.id else ""

    @property
    def address(self) -> str:
        return f"kafka:{self._entered.cluster_id}:{self._entered.name}"

    async def begin(self) -> Scope:
        async with self._beginning:
            if self._line is None or self._line.failure is not None:
                self._line = await self._reopen(self._line)
            return KafkaScope(self._line)

    def too_small_for(self, largest_record: int) -> str:
        topic = self._entered
        needed = topic.limits.needed_for(largest_record)
        if needed is None:
            return ""
        return f"topic {topic.name} has max.message.bytes={topic.limits.max_message_bytes}, needs {needed}"

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        return self._entered.limits.rejections(batch, self._clock.now_ms())

    @property
    def _entered(self) -> Topic:
        if self._topic is None:
            raise RuntimeError("the sink has not been entered")
        return self._topic

    async def _reopen(self, broken: Line | None) -> Line:
        """Another line once the topic is there as it was. A refusal of the broken one is raised before, once."""
        self._line = None
        careful = 0
        if broken is not None:
            await broken.close()
            careful = broken.suspects
            if isinstance(broken.failure, RefusedError):
                raise broken.failure
        while True:
            try:
                found = await self._look_up(None)
            except TransientError as error:
                await asyncio.to_thread(log.warning, "%s", error)
                self._observer.retried("Produce", "unreachable")
                await self._clock.sleep(_AGAIN_S)
            else:
                self._topic = _same(self._entered, found)
                return await self._open(found, careful=careful)

    async def _look_up(self, create: CreateTopic | None) -> Topic:
        return await asyncio.to_thread(self._ask, create)

    def _ask(self, create: CreateTopic | None) -> Topic:
        return TopicDesk(self._settings.connection(), self._clock, self._settings.reach_s).look_up(
            self._settings.topic, create
        )

    async def _open(self, topic: Topic, *, careful: int) -> Line:
        try:
            return Line(
                self._settings.producer(topic.limits),
                topic,
                self._clock,
                Statistics(self._observer),
                TopicWatch(self._settings.connection(), topic, self._settings.metadata_refresh_ms / 1000),
                careful=careful,
            )
        except KafkaException as error:
            raise translate(kafka_error(error), "configure the Kafka producer", "") from None


class KafkaScope(Scope):
    """The stretch of one line between two checkpoints: an answer is durable at once."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        return self._line.submit(batch)

    async def commit(self, save: Save) -> None:
        await save({})


def _same(known: Topic, found: Topic) -> Topic:
    """``found``, if it is the topic that was there before, with as many partitions."""
    operation = f"write to topic {known.name}"
    if known.id and found.id and known.id != found.id:
        raise RefusedError(operation, f"the topic was recreated: its id was {known.id} and is {found.id}")
    if known.partitions != found.partitions:
        raise RefusedError(
            operation,
            f"the topic had {known.partitions} partitions and has {found.partitions}: keys would move between them",
            f"mirror into a topic with {known.partitions}; or restart with on_gap: continue to accept that keys move",
        )
    return found
