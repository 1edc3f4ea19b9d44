"""Finding the record that a broker refuses, so that it alone is rejected.

A producer that keeps the order stops for good at such a record and takes its neighbours with it. Here each record has
its own report, one batch is under way at a time, and what was not delivered is produced again by a new producer,
without those that the broker named.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from threading import Event

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.base import Batch, Rejected
from connectors.kafka.connection import kafka_error, translate
from connectors.kafka.culprits import REASONS, Report, culprits
from connectors.kafka.partitioning import Partitioner
from connectors.kafka.producing import Headers, headers_of

_POLL_S = 0.05

_NEIGHBOURS = {
    KafkaError._INVALID_DIFFERENT_RECORD,  # noqa: SLF001
    KafkaError._PURGE_QUEUE,  # noqa: SLF001
    KafkaError._PURGE_INFLIGHT,  # noqa: SLF001
    KafkaError._FATAL,  # noqa: SLF001
    KafkaError._GAPLESS_GUARANTEE,  # noqa: SLF001
}
"""What befalls records because of others."""


class Isolation:
    """Delivers batches one at a time. Used by one thread; makes and drops producers as it needs them."""

    def __init__(self, make: Callable[[], Producer], topic: str, partitioner: Partitioner, stopped: Event) -> None:
        """Waiting for the broker ends when ``stopped`` is set; what is returned then means nothing."""
        self._make = make
        self._topic = topic
        self._partitioner = partitioner
        self._stopped = stopped
        self._producer: Producer | None = None

    def deliver(self, batch: Batch) -> tuple[Rejected, ...]:
        """Deliver ``batch``; the records that the broker refuses, rising by index.

        Raises ``ConnectorError`` where something other than a record is refused.
        """
        headers = list(islice(headers_of(batch), len(batch)))
        waiting = list(range(len(batch)))
        rejected: dict[int, Rejected] = {}
        width = len(waiting)
        while waiting and not self._stopped.is_set():
            reports = self._attempt(batch, headers, waiting[:width])
            named = culprits(reports)
            rejected.update((each.index, each.rejection()) for each in named)
            if any(each.error for each in reports):
                self.close()
                # Brokers before 2.4 do not name records: fewer at a time lead to the culprit too.
                width = len(waiting) if named else max(1, width // 2)
            delivered = {each.index for each in reports if each.error is None}
            waiting = [index for index in waiting if index not in delivered and index not in rejected]
        return tuple(rejected[index] for index in sorted(rejected))

    def close(self) -> None:
        """Drop the producer with all that it holds."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    def _attempt(self, batch: Batch, headers: Sequence[Headers | None], indexes: Sequence[int]) -> list[Report]:
        """Produce the records at ``indexes`` in order and wait for what becomes of each."""
        reports: list[Report] = []

        def hear(index: int, error: KafkaError | None, message: Message) -> None:
            reports.append(Report(batch, index, self._topic, message.partition(), error))

        producer = self._producer = self._producer or self._make()
        for index in indexes:
            try:
                self._produce(producer, batch, headers[index], index, partial(hear, index))
            except KafkaException as error:
                reports.append(Report(batch, index, self._topic, None, kafka_error(error)))
        while len(reports) < len(indexes) and not self._stopped.is_set():
            _poll(producer)
        self._refuse_what_is_no_record(reports)
        return reports

    def _produce(
        self,
        producer: Producer,
        batch: Batch,
        headers: Headers | None,
        index: int,
        report: Callable[[KafkaError | None, Message], None],
    ) -> None:
        key, value, time = batch.keys[index], batch.values[index], batch.timestamps_ms[index]
        partition = self._partitioner.partition(batch)
        while not self._stopped.is_set():
            try:
                producer.produce(self._topic, value, key, partition, report, None, time, headers)
            except BufferError:
                _poll(producer)
            else:
                return

    def _refuse_what_is_no_record(self, reports: Sequence[Report]) -> None:
        errors = [each.error for each in reports if each.error is not None]
        others = [error for error in errors if error.code() not in _NEIGHBOURS and error.code() not in REASONS]
        if errors and not any(error.code() in REASONS for error in errors):
            self.close()
            raise translate((others or errors)[0], f"write to topic {self._topic}", "")


def _poll(producer: Producer) -> None:
    """Serve reports. A fatal error, which is raised here too, is in the reports of those whom it struck."""
    with suppress(KafkaException):
        producer.poll(_POLL_S)
