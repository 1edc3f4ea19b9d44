"""One consumer for all partitions that are read, and the thread that it works in."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.base import Clock, Observer, Place
from connectors.kafka.connection import ClientLog, kafka_error
from connectors.kafka.fetching.chunk import Chunk, chunk_of
from connectors.kafka.fetching.display import DisplayGroup
from connectors.kafka.fetching.flows import Flows
from connectors.kafka.fetching.inbox import Inbox
from connectors.kafka.source_settings import KafkaSourceSettings
from connectors.kafka.statistics import Statistics

MESSAGES = 2_000
"""Of one fetch, at the most."""
_POLL_S = 0.05
_PATIENCE_S = 0.1
_LAST_WORD_S = 1.0
_ANSWER_S = 1.0
# Between a record's arrival and the moment at which a fetch is sure to bring it.
_SKEW_MS = 1_000


class Fetcher:
    """Fetches for the lanes that are open, each from its own offset on.

    ``open``, ``close``, ``taken`` and ``asked`` return at once and take effect within a moment, in the order of the
    calls.
    """

    def __init__(
        self,
        settings: KafkaSourceSettings,
        clock: Clock,
        observer: Observer,
        counted: Callable[[int], None],
    ) -> None:
        """``counted`` hears from the thread how many partitions there are: at first, and when that has changed.

        Blocks for some milliseconds. Raises ``KafkaException`` where librdkafka does not take the settings.
        """
        self._topic = settings.topic
        self._clock = clock
        self._observer = observer
        self._counted = counted
        self._is_counted = False
        self._display = _display(settings, clock)
        self._commands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._stopped = Event()
        self._all_read_ms: int | None = None
        """When nothing waited in librdkafka for the last time."""
        statistics = Statistics(observer, "Fetch")
        callbacks = {
            "logger": ClientLog(clock, self._partitions_changed),
            "error_cb": statistics.error,
            "throttle_cb": statistics.throttle,
        }
        self._consumer = Consumer(cast("dict[str, Any]", {**settings.consumer(), **callbacks}))
        self._flows = Flows(Assigned(self._consumer, settings.topic), settings.buffer_bytes // 2)
        # A daemon, so that an interpreter that ends without leaving the source does not wait for a broker.
        self._thread = Thread(target=self._work, name=f"kafka {self._topic} fetch", daemon=True)
        self._thread.start()

    def open(self, partition: int, start: int) -> Inbox:
        """Begin to fetch ``partition`` from the offset ``start`` on. Whoever fetched it before gets no more."""
        inbox = Inbox(partition)
        self._commands.put(partial(self._flows.begin, inbox, start))
        return inbox

    def close(self, inbox: Inbox) -> None:
        """The lane reads no more."""
        self._commands.put(partial(self._flows.end, inbox))

    def taken(self, inbox: Inbox, memory: int) -> None:
        """The lane has read so many bytes of memory."""
        self._commands.put(partial(self._flows.taken, inbox, memory))

    def asked(self, inbox: Inbox) -> None:
        """The lane waits with nothing left to read."""
        self._commands.put(partial(self._flows.asked, inbox))

    def stored(self, places: Mapping[str, Place]) -> None:
        """As ``Source.stored``."""
        if self._display is not None:
            self._display.note(places)

    async def leave(self) -> None:
        """End the thread and close the consumer, within two seconds or so."""
        self._stopped.set()
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                self._advance()
            except BaseException as error:  # noqa: BLE001
                # A thread that ended silently would leave every lane waiting.
                self._flows.fail_all(KafkaError(KafkaError._FAIL, repr(error)))  # noqa: SLF001
                with suppress(KafkaException):
                    self._consumer.unassign()
        self._say_goodbye()

    def _partitions_changed(self, _: str) -> None:
        self._is_counted = False

    def _count(self) -> None:
        """Ask for the topic; without that librdkafka asks for its leaders a second after the first assignment."""
        try:
            topics = self._consumer.list_topics(self._topic, timeout=_ANSWER_S).topics
        except KafkaException as error:
            self._hear_client(kafka_error(error))
            return
        self._is_counted = True
        self._counted(len(topics[self._topic].partitions))

    def _advance(self) -> None:
        if not self._is_counted:
            self._count()
        self._obey()
        if self._flows.is_full:
            self._wait_for_room()
        else:
            self._deliver(self._fetched())
        if self._display is not None:
            self._display.show()

    def _obey(self) -> None:
        while not self._commands.empty():
            self._commands.get()()

    def _wait_for_room(self) -> None:
        try:
            self._commands.get(timeout=_PATIENCE_S)()
        except Empty:
            self._flows.relieve()

    def _fetched(self) -> list[Message]:
        messages = self._consumer.consume(MESSAGES, 0)
        if messages:
            return messages
        self._all_read_ms = self._clock.now_ms()
        first = self._consumer.poll(_POLL_S)
        return [] if first is None else [first, *self._consumer.consume(MESSAGES, 0)]

    def _deliver(self, messages: Sequence[Message]) -> None:
        if not any(map(Message.error, messages)):
            for partition, run in groupby(messages, Message.partition):
                self._put(partition, list(run))
            return
        for (partition, is_event), run in groupby(messages, _kind):
            if is_event:
                self._hear(run)
            else:
                self._put(partition, list(run))

    def _put(self, partition: int | None, records: Sequence[Message]) -> None:
        start = None if partition is None else self._flows.following(partition)
        if partition is not None and start is not None:
            end = self._end(partition)
            self._flows.put(partition, chunk_of(records, start, end, self._clock.now_ms()))

    def _end(self, partition: int) -> int | None:
        """Where ``partition`` ended when it was fetched last."""
        _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        return end if end >= 0 else None

    def _hear(self, events: Iterable[Message]) -> None:
        for event in events:
            error, partition = event.error(), event.partition()
            if error is None:
                continue
            # What concerns the group comes with a number all the same.
            if event.topic() is None or partition is None or partition < 0:
                self._hear_client(error)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                self._hear_end(partition, event.offset())
            else:
                self._flows.fail(partition, error)

    def _hear_client(self, error: KafkaError) -> None:
        """About no partition, and nothing that librdkafka does not get over by itself."""
        # The group is only shown to, and that is told by its commits.
        if error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
            self._observer.retried("Fetch", error.name().lower().strip("_"))

    def _hear_end(self, partition: int, offset: int | None) -> None:
        """All is read up to ``offset``. What was seen since nothing waited here has been seen after that."""
        start = self._flows.following(partition)
        if start is None or offset is None:
            return
        seen_ms = None if self._all_read_ms is None else self._all_read_ms - _SKEW_MS
        self._flows.put(partition, Chunk(start, offset, watermark_ms=seen_ms, end=offset))

    def _say_goodbye(self) -> None:
        if self._display is not None:
            self._display.show_last(_LAST_WORD_S)
        self._consumer.close()


class Assigned:
    """What a consumer is assigned, partition by partition."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic

    def assign(self, starts: Mapping[int, int]) -> None:
        """As ``Assignment.assign``. Raises ``KafkaException``."""
        each = [TopicPartition(self._topic, partition, start) for partition, start in starts.items()]
        self._consumer.incremental_assign(each)

    def unassign(self, partitions: Sequence[int]) -> None:
        """As ``Assignment.unassign``."""
        self._consumer.incremental_unassign([TopicPartition(self._topic, partition) for partition in partitions])


def _display(settings: KafkaSourceSettings, clock: Clock) -> DisplayGroup | None:
    if settings.display_group is None:
        return None
    return DisplayGroup(settings.display_group, settings.topic, settings.connection(), clock)


def _kind(message: Message) -> tuple[int | None, bool]:
    return message.partition(), message.error() is not None
