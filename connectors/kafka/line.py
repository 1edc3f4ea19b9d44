"""The way of records into a topic between two breaks: a producer, and threads that produce, poll and watch."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from connectors.base import Batch, Clock, ConnectorError, Outcome, Rejected, Save, Scope, TransientError
from connectors.kafka.connection import ClientLog, kafka_error, translate
from connectors.kafka.delivery import Delivery
from connectors.kafka.isolation import Isolation
from connectors.kafka.partitioning import Partitioner
from connectors.kafka.producing import produce
from connectors.kafka.statistics import Statistics
from connectors.kafka.topic import Topic
from connectors.kafka.watch import TopicWatch

_POLL_S = 0.1
_FULL_S = 0.01
_CAUSE_S = 1.0


class Line:
    """Takes batches and answers each once all of its records are delivered, or breaks for good.

    Calls to ``submit`` and ``close`` come from the event loop; neither blocks it. While ``careful`` records have not
    passed, each batch is delivered alone and a record that the broker refuses is found and answered as rejected.
    """

    def __init__(  # noqa: PLR0913 - what a producer is made of, and what it is watched by
        self,
        settings: Mapping[str, object],
        topic: Topic,
        partitioner: Partitioner,
        clock: Clock,
        statistics: Statistics,
        watch: TopicWatch,
        loop: asyncio.AbstractEventLoop,
        *,
        careful: int = 0,
        delivery: type[Delivery] = Delivery,
    ) -> None:
        """For a thread beside ``loop``, in which all answers are given: blocks for some milliseconds, or a second.

        Raises ``KafkaException`` where librdkafka does not take ``settings``.
        """
        self._topic = topic
        self._clock = clock
        self._watch = watch
        self._careful = careful
        self._partitioner = partitioner
        self._delivery = delivery
        self._queue: SimpleQueue[Delivery | None] = SimpleQueue()
        self._unanswered: set[Delivery] = set()
        self._halted = Event()
        self._log = ClientLog(clock, self._partitions_changed)
        callbacks = {
            "logger": self._log,
            "error_cb": statistics.error,
            "stats_cb": statistics.report,
            "throttle_cb": statistics.throttle,
        }
        configuration: dict[str, Any] = {**settings, **callbacks}
        self._isolation = Isolation(lambda: Producer(configuration), topic.name, partitioner, self._halted)
        self._producer = Producer(configuration)
        self._loop = loop
        self.failure: ConnectorError | None = None
        """Why the line broke. Set in the event loop, together with the failure of all that is not answered."""
        self.suspects = 0
        """How many records had no answer when it broke."""
        # Daemons, so that an interpreter that ends without leaving the sink does not wait for a broker.
        name = f"kafka {topic.name}"
        self._sender = Thread(target=self._guard, args=(self._send_all,), name=f"{name} send", daemon=True)
        self._poller = Thread(target=self._poll_and_drop, name=f"{name} poll", daemon=True)
        self._watcher = Thread(target=self._guard, args=(self._watch_topic,), name=f"{name} watch", daemon=True)
        self._sender.start()
        self._poller.start()
        self._watcher.start()

    def submit(self, batch: Batch) -> asyncio.Future[Outcome]:
        """Raises ``RefusedError`` where the topic has no partition for ``batch``."""
        self._partitioner.partition(batch)
        answer: asyncio.Future[Outcome] = self._loop.create_future()
        if self.failure is not None:
            answer.set_exception(TransientError(f"write to topic {self._topic.name}", f"broken by {self.failure}"))
            return answer
        delivery = self._delivery(batch, answer, self._partitioner, self._settle, self._fail)
        self._unanswered.add(delivery)
        self._queue.put(delivery)
        return answer

    async def prepared(self) -> None:
        """There is nothing to wait for."""

    async def begin(self) -> Scope:
        """The stretch of this line from here to the next checkpoint."""
        return LineScope(self)

    async def close(self) -> None:
        """Drop what is not delivered and end all threads. What has no answer by then raises."""
        self._break(TransientError(f"write to topic {self._topic.name}", "the sink was left"))
        await asyncio.to_thread(self._join)

    def retire(self, cause: str) -> None:
        """Break: what has no answer yet is dropped, as far as it is not on its way. Another line is to go on."""
        self._break(TransientError(f"write to topic {self._topic.name}", cause))

    def _join(self) -> None:
        self._poller.join()
        self._watcher.join()

    def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        """Answer a delivered batch. From either thread; not once the line has broken."""
        if not self._halted.is_set():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._answer, delivery, outcome)

    def _answer(self, delivery: Delivery, outcome: Outcome) -> None:
        self._unanswered.discard(delivery)
        if not delivery.answer.done():
            delivery.answer.set_result(outcome)

    def _fail(self, error: KafkaError) -> None:
        self._halt(translate(error, f"write to topic {self._topic.name}", ""))

    def _halt(self, error: ConnectorError) -> None:
        """Stop producing at once, so that nothing follows the hole; then break. From any thread."""
        if not self._halted.is_set():
            self._halted.set()
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._break, error)

    def _break(self, error: ConnectorError) -> None:
        self._halted.set()
        if self.failure is not None:
            return
        self.failure = error
        self.suspects = sum(len(delivery.batch) for delivery in self._unanswered)
        for delivery in self._unanswered:
            if not delivery.answer.done():
                delivery.answer.set_exception(error)
        self._unanswered.clear()
        self._queue.put(None)

    def _guard(self, work: Callable[[], None]) -> None:
        """A thread that ended silently would leave every lane waiting."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            self._halt(TransientError(f"write to topic {self._topic.name}", repr(error)))

    def _partitions_changed(self, text: str) -> None:
        """Without a fatal error librdkafka fails what is queued for partitions that are gone, and maps keys anew."""
        self._halt(TransientError(f"write to topic {self._topic.name}", text))

    def _watch_topic(self) -> None:
        if (change := self._watch.change(self._halted)) is not None:
            self._halt(TransientError(f"write to topic {self._topic.name}", change))

    def _poll_and_drop(self) -> None:
        self._guard(self._poll_all)
        self._sender.join()
        self._producer.purge()
        # The last reference: librdkafka's own threads end here, not in the event loop.
        del self._producer

    def _poll_all(self) -> None:
        try:
            while not self._halted.is_set():
                self._producer.poll(_POLL_S)
        except KafkaException as error:
            # A fatal error comes as an exception, not as a call of ``error_cb``.
            self._fail(kafka_error(error))

    def _send_all(self) -> None:
        for delivery in iter(self._queue.get, None):
            if self._halted.is_set():
                continue
            if self._careful > 0:
                self._send_carefully(delivery)
            else:
                self._send(delivery)
            # While the next one is awaited, nothing here may keep the memory of one that is delivered.
            del delivery

    def _send_carefully(self, delivery: Delivery) -> None:
        try:
            rejected = self._isolate(delivery.batch)
        except ConnectorError as error:
            self._halt(error)
            return
        self._careful = 0 if rejected else self._careful - len(delivery.batch)
        if self._careful <= 0:
            self._isolation.close()
        self._settle(delivery, Outcome(rejected))

    def _isolate(self, batch: Batch) -> tuple[Rejected, ...]:
        """Deliver ``batch`` but for what the topic's settings rule out and what the broker then refuses."""
        known = self._topic.limits.rejections(batch, self._clock.now_ms())
        kept = batch.others(known)
        found = self._isolation.deliver(batch.pick(kept))
        return tuple(sorted((*known, *(replace(each, index=kept[each.index]) for each in found)), key=_index))

    def _send(self, delivery: Delivery) -> None:
        delivery.prepare(self._topic.limits, self._clock.now_ms())
        topic, partition = self._topic.name, self._partitioner.partition(delivery.sent)
        start: int | None = 0
        try:
            while start is not None and not self._halted.is_set():
                start = produce(self._producer, topic, partition, delivery.sent, start, delivery.reports, self._halted)
                if start is not None:
                    self._halted.wait(_FULL_S)
        except KafkaException as error:
            # What made it fatal is told to the polling thread alone.
            if kafka_error(error).code() != KafkaError._FATAL or not self._halted.wait(_CAUSE_S):  # noqa: SLF001
                self._fail(kafka_error(error))


class LineScope(Scope):
    """The stretch of one line between two checkpoints: an answer is durable at once."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        return self._line.submit(batch)

    async def commit(self, save: Save) -> None:
        await save({})

    def abort(self) -> None:
        self._line.retire("given up")


def _index(rejected: Rejected) -> int:
    return rejected.index
