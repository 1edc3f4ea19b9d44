"""One transaction as the engine sees it: a scope that answers with its commit."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.base import Batch, ConnectorError, Outcome, Place, Rejected, Save, Scope, TransientError
from connectors.kafka.limits import Limits
from connectors.kafka.partitioning import BY_KEY, Partitioner
from connectors.kafka.refusals import Refusals, together
from connectors.kafka.topic import Topic
from connectors.kafka.transaction import Membership, SlotRecord


class Attachment(Protocol):
    """Where the checkpoints of a transaction are collected while they are saved."""

    def open(self) -> None:
        """From here on records are collected for the transaction that is about to be committed."""

    def take(self) -> Sequence[SlotRecord]:
        """What was collected since."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Where records go, and those that are refused there; None: nowhere in this cluster."""

    sink: Topic
    partitioner: Partitioner
    """The sink's."""
    dead_letter: Topic | None = None

    def partition(self, topic: str, batch: Batch) -> int:
        """Where all records of ``batch`` go in ``topic``. Raises as ``Partitioner.partition``."""
        return self.partitioner.partition(batch) if topic == self.sink.name else BY_KEY

    @property
    def limits(self) -> tuple[Limits, ...]:
        """Of each of them."""
        every = (self.sink, self.dead_letter) if self.dead_letter is not None else (self.sink,)
        return tuple(topic.limits for topic in every)

    @property
    def largest(self) -> Limits:
        """The limits of the one that takes the larger records."""
        return max(self.limits, key=lambda limits: limits.max_message_bytes)


class Sender(Protocol):
    """Works through scopes in the order in which they were begun."""

    membership: Membership
    refusals: Refusals

    def turn(self) -> "TransactionScope | None":
        """The one scope whose records may be sent."""

    def send(self, scope: "TransactionScope", topic: str, batch: Batch) -> None:
        """Produce ``batch`` into the transaction of ``scope``."""

    def commit(self, scope: "TransactionScope", records: Sequence[SlotRecord]) -> None:
        """Commit what was sent, together with ``records``, then tell ``scope``."""

    def abort(self) -> None:
        """Break all scopes, and give up what was sent."""

    def forget(self, scope: "TransactionScope") -> None:
        """It has ended."""


class TransactionScope(Scope):
    """One transaction, begun with its first record. Its submissions are answered when it is committed."""

    def __init__(self, line: Sender, topics: Topics, attachment: Attachment, now_ms: Callable[[], int]):
        self.broken: ConnectorError | None = None
        """Set in the event loop, together with the failure of all that is not answered."""
        self.answers: list[asyncio.Future[Outcome]] = []
        self.committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.metadata: bytes | None = None
        """The group's, as they were when the first record was submitted."""
        self.is_closing = False
        """Whether its commit stands in the queue."""
        self._held: list[tuple[str, Batch]] = []
        """What was submitted while an earlier scope took submissions too."""
        self._places: dict[str, Place] = {}
        self._line = line
        self._topics = topics
        self._attachment = attachment
        self._now_ms = now_ms

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        """Raises ``RefusedError`` where the topic has no partition for ``batch``."""
        self._topics.partitioner.partition(batch)
        return self._send(self._topics.sink.name, lane, batch)

    def bury(self, lane: str, letter: Batch) -> asyncio.Future[Outcome] | None:
        topic = self._topics.dead_letter
        return None if topic is None else self._send(topic.name, lane, letter)

    def inspect_letter(self, letter: Batch) -> tuple[Rejected, ...] | None:
        topic = self._topics.dead_letter
        if topic is None:
            return None
        limits, known = topic.limits, self._line.refusals
        return together(limits.rejections(letter, self._now_ms()), known.among(topic.name, letter))

    @property
    def waits(self) -> bool:
        return bool(self.answers)

    async def commit(self, save: Save) -> None:
        if self.broken is not None:
            raise self.broken
        self._attachment.open()
        try:
            await save(dict(self._places))
        except BaseException:
            self._attachment.take()
            self.abort()
            raise
        records = self._attachment.take()
        if self.broken is not None:
            raise self.broken
        if self._held:
            self.abort()
            raise TransientError("commit a transaction", "an earlier one was never ended")
        if not records and not self.answers:
            self._line.forget(self)
            return
        try:
            self.metadata = self.metadata or self._line.membership.metadata()
        except TransientError:
            self._line.forget(self)
            raise
        self.is_closing = True
        self._line.commit(self, records)
        await asyncio.shield(self.committed)

    def abort(self) -> None:
        self._line.abort()

    def _send(self, topic: str, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self.broken is not None:
            answer.set_exception(TransientError(f"write to topic {topic}", f"broken by {self.broken}"))
            return answer
        try:
            self.metadata = self.metadata or self._line.membership.metadata()
        except TransientError as error:
            answer.set_exception(error)
            return answer
        self.answers.append(answer)
        self._places[lane] = batch.place
        self._held.append((topic, batch))
        if self._line.turn() is self:
            self.release()
        return answer

    def release(self) -> None:
        """Hand over what was held: the earlier scopes are closing."""
        held, self._held = self._held, []
        for topic, batch in held:
            self._line.send(self, topic, batch)

    def succeed(self) -> None:
        self.committed.set_result(None)
        for answer in self.answers:
            if not answer.done():
                answer.set_result(Outcome())

    def fail(self, error: ConnectorError) -> None:
        self.broken = error
        self._held.clear()
        for answer in self.answers:
            if not answer.done():
                answer.set_exception(error)
        self.committed.set_exception(error)
        # Nobody may be waiting for it.
        self.committed.exception()
