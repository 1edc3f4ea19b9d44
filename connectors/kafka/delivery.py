"""One submitted batch on its way into the topic."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from confluent_kafka import KafkaError, Message

from connectors.base import Batch, Outcome
from connectors.kafka.limits import Limits
from connectors.kafka.partitioning import Partitioner
from connectors.kafka.producing import Hearer


class Delivery:
    """Counts what has to be heard of before the batch is delivered.

    That is little: a report costs a microsecond, and the last record of each partition speaks for those before it.
    """

    def __init__(
        self,
        batch: Batch,
        answer: asyncio.Future[Outcome],
        partitioner: Partitioner,
        settle: Callable[["Delivery", Outcome], None],
        fail: Callable[[KafkaError], None],
    ) -> None:
        self.batch = batch
        self.answer = answer
        self.sent = batch
        self.reports: list[Hearer | None] = []
        self._partitioner = partitioner
        self._settle = settle
        self._fail = fail
        self._outcome = Outcome()
        self._left = 0

    def prepare(self, limits: Limits, now_ms: int) -> None:
        """Leave out what the topic can never take and say which reports are wanted. Settles a batch of no others."""
        rejected = limits.rejections(self.batch, now_ms)
        if rejected:
            self._outcome = Outcome(rejected)
            self.sent = self.batch.without(rejected)
        self.reports = self._hearers()
        self._left = len(self.reports) - self.reports.count(None)
        if not self._left:
            self._settle(self, self._outcome)

    def _hearers(self) -> list[Hearer | None]:
        """Who is told of each record that is sent."""
        hearers: list[Hearer | None] = [None] * len(self.sent)
        report = self._hear
        for index in self._partitioner.decisive(self.sent):
            hearers[index] = report
        return hearers

    def _hear(self, error: KafkaError | None, message: Message) -> None:
        """A report on one record, in the polling thread alone."""
        if error is not None:
            self._fail(error)
            return
        partition = message.partition()
        if partition is not None:
            self._partitioner.learn(message.key(), partition)
        self._left -= 1
        if self._left == 0:
            # The last record of a batch is always decisive, so all are produced. The reports refer back to here: kept,
            # they would hold the batch in memory until the garbage collector comes by.
            self.reports = []
            self._settle(self, self._outcome)


class PlacingDelivery(Delivery):
    """Hears of every record, and so tells where each is."""

    def _hearers(self) -> list[Hearer | None]:
        kept = self.batch.others(self._outcome.rejected)
        places = [""] * len(self.batch)
        self._outcome = replace(self._outcome, places=places)
        return [partial(self._hear_of, places, index) for index in kept]

    def _hear_of(self, places: list[str], index: int, error: KafkaError | None, message: Message) -> None:
        offset = message.offset()
        # An answer that was lost and repeated tells none.
        if error is None and offset is not None and offset >= 0:
            places[index] = f"{message.partition()}/{offset}"
        self._hear(error, message)
