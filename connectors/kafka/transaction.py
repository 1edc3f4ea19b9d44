"""Transactions of one producer that a consumer group's generation fences (KIP-447)."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Event
from typing import Any, Protocol, TypeVar, cast

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from connectors.base import ConnectorError, RefusedError, TransientError, UncertainError
from connectors.kafka.connection import kafka_error, translate
from connectors.kafka.patience import Patience

T = TypeVar("T")

TRANSACTION_MS = 10_000
"""After so long the coordinator aborts a transaction; until then one that was left open holds readers up."""
_DELIVERY_MS = 8_000
_CALL_S = 2.0
_AGAIN_S = 0.1
_METADATA = b"CGMDv2:"


class Membership(Protocol):
    """A member of the group whose generation fences."""

    def metadata(self) -> bytes:
        """The group's metadata, of this moment or of an earlier one. Does not block.

        Ask for them where it is decided what a transaction holds, and not when it comes to be sent: by then this worker
        may own other slots. Raises ``TransientError`` while it is no member, or works on slots that it has lost.
        """


class SlotRecord(Protocol):
    """A record for the checkpoint topic; ``offset`` is what the group commits for its partition ``slot``."""

    @property
    def slot(self) -> int: ...
    @property
    def key(self) -> bytes: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def offset(self) -> int: ...


class AbortedError(TransientError):
    """The transaction is over and nothing of it will be seen. ``code`` is the broker's reason."""

    def __init__(self, operation: str, cause: str, code: int) -> None:
        super().__init__(operation, cause)
        self.code = code


class Transactions:
    """A transactional producer, used by one thread; another one polls it. Every call may block.

    A call ends early, with any outcome, once ``stopped`` is set, unless there is a ``loss``. After an ``AbortedError``
    the producer goes on with the next transaction; after every other error it is of no more use.
    """

    def __init__(
        self,
        settings: Mapping[str, object],
        group_topic: str,
        stopped: Event,
        operation: str,
        cluster_answers: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``group_topic`` is the topic whose partitions the group divides. ``cluster_answers`` may block for seconds.

        Raises ``KafkaException``.
        """
        self._group_topic = group_topic
        self._stopped = stopped
        self._operation = operation
        self._cluster_answers = cluster_answers
        self._monotonic = monotonic
        self._metadata: bytes | None = None
        self._offsets: dict[int, int] = {}
        self._is_ready = False
        self._patience: Patience | None = None
        """With the call under way."""
        self._settings = dict(settings)
        self.producer = self._make()

    @property
    def is_open(self) -> bool:
        return self._metadata is not None

    def begin(self, metadata: bytes) -> None:
        """Begin a transaction, if none is open. Only while the group is as ``metadata`` say can it be committed."""
        if self.is_open:
            return
        self.prepare()
        try:
            self.producer.begin_transaction()
        except KafkaException as error:
            raise self._lost(error) from None
        self._metadata = metadata
        self._offsets = {}

    def prepare(self) -> None:
        """End what an earlier producer of this id left open, once. Raises ``ConnectorError``."""
        if self._is_ready:
            return
        self._connect()
        try:
            self._repeat(lambda: self.producer.init_transactions(_CALL_S))
        except KafkaException as error:
            raise self._lost(error) from None
        self._is_ready = True

    def _connect(self) -> None:
        """Without a broker at hand librdkafka looks for the coordinator half a second later, and not before."""
        with suppress(KafkaException):
            # The connection that answers first may be given up for one to the same broker under its proper name.
            for _ in range(2):
                self.producer.list_topics(self._group_topic, timeout=_CALL_S)

    def write(self, records: Sequence[SlotRecord]) -> None:
        """Add records of the group's topic to the open transaction. Raises as ``commit``."""
        for record in records:
            self._offsets[record.slot] = record.offset
            self._produce(record)

    def commit(self) -> None:
        """Commit with the offsets of what was written to the group's topic, once everything is delivered.

        Raises ``AbortedError``; ``UncertainError`` where nobody can say whether it is committed; ``TransientError``
        where it is not, and the producer is of no more use.
        """
        if not self._offsets:
            self.abort()
            raise AbortedError(self._operation, "a transaction without a checkpoint", KafkaError.NO_ERROR)
        offsets = [TopicPartition(self._group_topic, slot, offset) for slot, offset in self._offsets.items()]
        metadata = self._metadata
        self._attempt(lambda: self.producer.send_offsets_to_transaction(offsets, metadata, _CALL_S), self._lost)
        if self._stopped.is_set():
            raise TransientError(self._operation, "stopped before the commit")
        self._attempt(lambda: self.producer.commit_transaction(_CALL_S), self._unknown)
        self._metadata = None

    def loss(self) -> ConnectorError | None:
        """Why the call under way will never have an answer; None as long as it may. From any thread; may block too.

        The call itself may never return: leave the producer behind, and the thread with it. Where it does return after
        all it commits nothing any more, unless it was committing: that nobody can say.
        """
        patience = self._patience
        if patience is None or not patience.is_over() or patience is not self._patience:
            return None
        self._stopped.set()
        return UncertainError(self._operation, "the cluster answers, and the coordinator of the transaction does not")

    def abort(self) -> None:
        """Give the open transaction up. Raises ``ConnectorError`` where the producer is of no more use."""
        if not self.is_open:
            return
        self._metadata = None
        unanswered = len(self.producer) > 0
        try:
            self._repeat(lambda: self.producer.abort_transaction(_CALL_S))
        except KafkaException as error:
            raise self._lost(error) from None
        if unanswered:
            self._renew()

    def release(self) -> None:
        """Let go of the producer, which ends librdkafka's threads: blocks for that. Nothing is called any more.

        The producer's callbacks lead back to whoever holds this, and the garbage collector is slow to find such
        circles. Safe to call twice.
        """
        vars(self).pop("producer", None)

    def _renew(self) -> None:
        """Go on with another producer, whose records cannot be taken for those of the one before.

        librdkafka numbers anew what it gave up, whether the broker has it or not. Where it has, it takes the next
        records of the same numbers for repetitions, and says that it has written them.
        """
        self.producer.flush(_CALL_S)
        self.producer = self._make()
        self._is_ready = False

    def _make(self) -> Producer:
        return Producer(cast("dict[str, Any]", self._settings))

    def failed(self, error: KafkaException) -> ConnectorError:
        """What a failed call means, other than that of a commit; the transaction is aborted where that helps."""
        inner = self._root(kafka_error(error))
        if not inner.txn_requires_abort():
            return self._lost(error)
        self.abort()
        named = translate(inner, self._operation, "")
        return named if isinstance(named, RefusedError) else AbortedError(self._operation, inner.str(), inner.code())

    def _root(self, error: KafkaError) -> KafkaError:
        """Why nothing can be produced into the transaction any more, where ``error`` says no more than that."""
        if error.code() != KafkaError._STATE or not self.is_open:  # noqa: SLF001
            return error
        try:
            # Refused for the same reason, which it tells.
            nothing = [TopicPartition(self._group_topic, 0, 0)]
            self.producer.send_offsets_to_transaction(nothing, self._metadata, _CALL_S)
        except KafkaException as root:
            return kafka_error(root)
        return error

    def _attempt(self, call: Callable[[], object], otherwise: Callable[[KafkaException], ConnectorError]) -> None:
        try:
            self._repeat(call)
        except KafkaException as error:
            if not kafka_error(error).txn_requires_abort():
                raise otherwise(error) from None
            try:
                failure = self.failed(error)
            except ConnectorError as lost:
                # It cannot be aborted either: it may be what it was to be.
                raise UncertainError(self._operation, str(lost)) from None
            raise failure from None

    def _repeat(self, call: Callable[[], T]) -> T:
        """Call until the outcome is known: after a time-out the same call goes on where it was."""
        self._patience = Patience(self._cluster_answers, self._monotonic)
        try:
            while True:
                try:
                    return call()
                except KafkaException as error:
                    if not kafka_error(error).retriable() or self._stopped.wait(_AGAIN_S):
                        raise
        finally:
            self._patience = None

    def _produce(self, record: SlotRecord) -> None:
        while not self._stopped.is_set():
            try:
                self.producer.produce(self._group_topic, record.value, record.key, record.slot)
            except BufferError:
                self._stopped.wait(_AGAIN_S)
            except KafkaException as error:
                raise self.failed(error) from None
            else:
                return

    def _lost(self, error: KafkaException) -> ConnectorError:
        self._metadata = None
        return translate(kafka_error(error), self._operation, "")

    def _unknown(self, error: KafkaException) -> ConnectorError:
        self._metadata = None
        return UncertainError(self._operation, kafka_error(error).str())


def generation_of(metadata: bytes) -> int:
    """The generation in what librdkafka serializes of a group's membership; below 0 for a consumer that never joined.

    Such metadata is accepted by brokers without any fencing (facts: transactions of a group).
    """
    if not metadata.startswith(_METADATA):
        raise ValueError("the group's metadata are of another version")
    return int.from_bytes(metadata[len(_METADATA) :][:4], sys.byteorder, signed=True)


def transactional(settings: Mapping[str, object], transactional_id: str) -> dict[str, object]:
    """A producer's ``settings`` for transactions under this id.

    What fails aborts the transaction, so nothing may be waited for longer than one lasts.
    """
    gapless = "enable.gapless.guarantee"
    return {
        **{name: value for name, value in settings.items() if name != gapless},
        "transactional.id": transactional_id,
        "transaction.timeout.ms": TRANSACTION_MS,
        "message.timeout.ms": _DELIVERY_MS,
        "delivery.report.only.error": True,
        # After a fresh bootstrap the client may never come back to its coordinator: a commit then waits forever.
        "metadata.recovery.strategy": "none",
    }
