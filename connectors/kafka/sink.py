"""Writes batches into one Kafka topic, in order, with nothing lost, and in transactions exactly once."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Event
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException

from connectors.base import (
    Batch,
    Clock,
    ConnectorError,
    Observer,
    RefusedError,
    Rejected,
    Scope,
    Setting,
    Sink,
    TransientError,
)
from connectors.counted import counted
from connectors.kafka.connection import ClientLog, kafka_error, translate
from connectors.kafka.delivery import Delivery, PlacingDelivery
from connectors.kafka.line import Line
from connectors.kafka.partitioning import PARTITIONERS
from connectors.kafka.patience import answers
from connectors.kafka.refusals import Refusals, together
from connectors.kafka.settings import KafkaSinkSettings, Transactional
from connectors.kafka.statistics import Statistics
from connectors.kafka.topic import CreateTopic, Topic, TopicDesk
from connectors.kafka.transaction import Transactions, transactional
from connectors.kafka.transaction_line import TransactionLine
from connectors.kafka.transaction_scope import Topics
from connectors.kafka.watch import TopicWatch

log = logging.getLogger("connectors.kafka")

_AGAIN_S = 1.0


class KafkaSink(Sink):
    """Records go to the partition that ``settings.partitioner`` says; the partition count is frozen on entering.

    What the topic's settings refuse is known by ``inspect``; a record that the broker refuses nevertheless breaks the
    scope and is found when it is submitted again: without transactions it is rejected alone, with them ``inspect``
    knows it from then on.
    """

    def __init__(
        self,
        settings: KafkaSinkSettings,
        clock: Clock,
        observer: Observer,
        *,
        transactional: Transactional | None = None,
    ) -> None:
        """Raises ``SettingsError`` for librdkafka settings that only the bridge may choose."""
        settings.connection().settings()
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self._transactional = transactional
        self._topics: Topics | None = None
        self._line: Line | TransactionLine | None = None
        self._refusals = Refusals()
        self._beginning = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._topics = await self._look_up(self._settings.create_topic)
        line = self._line = await self._open(self._topics, careful=0)
        try:
            await line.prepared()
        except BaseException:
            await line.close()
            raise
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
        return topic.identity(topic.partitions)

    def is_regrown(self, identity: str) -> bool:
        return self._entered.is_regrown(identity)

    @property
    def address(self) -> str:
        return f"kafka:{self._entered.cluster_id}:{self._entered.name}"

    async def begin(self) -> Scope:
        async with self._beginning:
            if self._line is None or self._line.failure is not None:
                self._line = await self._reopen(self._line)
            return await self._line.begin()

    def too_small_for(self, largest_record: int) -> str:
        topic = self._entered
        needed = topic.limits.needed_for(largest_record)
        if needed is None:
            return ""
        return f"topic {topic.name} has max.message.bytes={topic.limits.max_message_bytes}, needs {needed}"

    def age_limits(self) -> tuple[Setting, ...]:
        topic = self._entered
        return topic.limits.of_age(f"topic {topic.name}")

    def volume_limits(self) -> tuple[Setting, ...]:
        topic = self._entered
        return topic.limits.of_volume(f"topic {topic.name}")

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        topic = self._entered
        known = topic.limits.rejections(batch, self._clock.now_ms())
        refused = self._refusals.among(topic.name, batch)
        return together(known, refused) if refused else known

    async def look_again(self, lane: str) -> None:
        async with self._beginning:
            self._refusals.forget(lane)
            line, known = self._line, self._topics
            if line is None or line.failure is not None or known is None:
                # The next one begins with a look.
                return
            found = await self._look_up(None)
            self._topics = replace(found, sink=_same(known.sink, found.sink))
            if self._topics.limits != known.limits:
                # A producer keeps the sizes that it was made with.
                line.retire("the topic's settings were changed")

    @property
    def _entered(self) -> Topic:
        if self._topics is None:
            raise RuntimeError("the sink has not been entered")
        return self._topics.sink

    async def _reopen(self, broken: Line | TransactionLine | None) -> Line | TransactionLine:
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
                self._topics = replace(found, sink=_same(self._entered, found.sink))
                return await self._open(self._topics, careful=careful)

    async def _look_up(self, create: CreateTopic | None) -> Topics:
        return await asyncio.to_thread(self._ask, create)

    def _ask(self, create: CreateTopic | None) -> Topics:
        desk = TopicDesk(self._settings.connection(), self._clock, self._settings.reach_s)
        found = desk.look_up(self._settings.topic, create)
        dead_letter = None if self._transactional is None else self._transactional.dead_letter
        partitioner = PARTITIONERS[self._settings.partitioner](found)
        return Topics(found, partitioner, None if dead_letter is None else desk.look_up(dead_letter, None))

    async def _open(self, topics: Topics, *, careful: int) -> Line | TransactionLine:
        """In a thread: where a login takes a token, a producer is not there before it has one."""
        loop = asyncio.get_running_loop()
        making = loop.create_task(asyncio.to_thread(self._make, topics, careful, loop), name="make a producer")
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            with suppress(ConnectorError):
                # Its threads would live on.
                await (await making).close()
            raise

    def _make(self, topics: Topics, careful: int, loop: asyncio.AbstractEventLoop) -> Line | TransactionLine:
        try:
            if self._transactional is None:
                return self._plain_line(topics, careful, loop)
            return self._transaction_line(topics, self._transactional, loop)
        except KafkaException as error:
            raise translate(kafka_error(error), "configure the Kafka producer", "") from None

    def _plain_line(self, topics: Topics, careful: int, loop: asyncio.AbstractEventLoop) -> Line:
        statistics, watch = Statistics(self._observer, "Produce"), self._watch(topics.sink)
        settings = self._settings.producer(topics.sink.limits)
        return Line(
            settings,
            topics.sink,
            topics.partitioner,
            self._clock,
            statistics,
            watch,
            loop,
            careful=careful,
            delivery=PlacingDelivery if self._settings.tells_places else Delivery,
        )

    def _transaction_line(
        self, topics: Topics, around: Transactional, loop: asyncio.AbstractEventLoop
    ) -> TransactionLine:
        statistics = Statistics(self._observer, "Produce")
        settings = {
            **transactional(self._settings.producer(topics.largest), around.transactional_id),
            "error_cb": statistics.error,
            "stats_cb": statistics.report,
            "throttle_cb": statistics.throttle,
        }
        operation = f"write to topic {topics.sink.name} with checkpoints in {around.checkpoint_topic}"

        reachable = partial(answers, self._settings.connection().settings())

        def make(stopped: Event, alarm: Callable[[str], None]) -> Transactions:
            with_log = {**settings, "logger": ClientLog(self._clock, alarm)}
            return Transactions(with_log, around.checkpoint_topic, stopped, operation, reachable)

        watch = self._watch(topics.sink)
        return TransactionLine(
            make, topics, around.membership, around.checkpoints, watch, self._refusals, self._clock.now_ms, loop
        )

    def _watch(self, topic: Topic) -> TopicWatch:
        return TopicWatch(self._settings.connection(), topic, self._settings.metadata_refresh_ms / 1000)


def _same(known: Topic, found: Topic) -> Topic:
    """``found``, if it is the topic that was there before, with as many partitions."""
    operation = f"write to topic {known.name}"
    if known.id and found.id and known.id != found.id:
        raise RefusedError(
            operation,
            f"the topic was recreated: its id was {known.id} and is {found.id}",
            "nothing is written to the new one; a restart names the gap, on_gap: continue goes on into it",
        )
    if known.partitions != found.partitions:
        raise RefusedError(
            operation,
            f"the topic had {counted(known.partitions, 'partition')} and has {found.partitions}: keys would move "
            "between them",
            "stop the mirror, let consumers read to the end, and kmbridge checkpoints accept takes the new number; or "
            f"mirror into a topic with {known.partitions}",
        )
    return found
