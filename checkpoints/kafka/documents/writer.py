"""Replacing a document, where a transactional id does what Kafka has no compare-and-set for."""

import time
from collections.abc import Callable
from threading import Event

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from checkpoints.base import CheckpointError, StoreRefusedError
from checkpoints.documents import Document
from checkpoints.kafka.connection import OVERTAKEN, explanation, kafka_error, transactional_producer
from checkpoints.kafka.document import Author
from checkpoints.kafka.documents.log import DocumentLog
from checkpoints.kafka.documents.record import SLOT, encode, key_of
from checkpoints.kafka.topic import CheckpointTopic

_ATTEMPTS = 5
_BACKOFF_S = 0.4
"""Before the second attempt, which is more than a save takes; longer and longer before further ones."""
_SLICE_S = 0.5
_END_S = 30.0
"""How long one step may take, over which a broker restarts."""

# What goes wrong is raised by the call that it befalls; without a callback it would be raised in another one, too.
_QUIET = {"log_level": 0, "error_cb": lambda _error: None}
_UNDELIVERED = KafkaError._INCONSISTENT  # noqa: SLF001
"""What a commit says where a record was refused; why, only the record's own report tells."""
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}


class DocumentWriter:
    """Begins anew under the transactional id that all share who save documents of a mirror, for each save.

    That ends what another had under way. What is read then is all there is, and stays so for as long as this one can
    commit: whoever begins later makes the broker refuse it. So of two who save at once one succeeds.

    Blocks; for one thread.
    """

    def __init__(self, place: CheckpointTopic, log: DocumentLog, stop: Event) -> None:
        """``stop`` ends it soon, with any outcome."""
        self._place = place
        self._log = log
        self._stop = stop
        # Begins as the mirror's other ids do, for the sake of rights, and is none of them: those have more behind them.
        self._author = Author(f"kmbridge-{place.mirror}-documents", place.group)

    def replace(self, name: str, expected: int | None, document: Document) -> Document | None:
        """Put ``document`` in the place of version ``expected``; what stands there then. Raises ``CheckpointError``."""
        operation = f"save document {name} in topic {self._place.topic}"
        for attempt in range(_ATTEMPTS):
            # Whoever has overtaken it goes first.
            self._stop.wait(_BACKOFF_S * attempt**2)
            try:
                return self._replace_alone(name, expected, document)
            except KafkaException as error:
                if kafka_error(error).code() not in OVERTAKEN:
                    raise _explained(kafka_error(error), operation) from error
        raise CheckpointError(
            operation,
            f"{_ATTEMPTS} attempts were ended by others who began with {self._author.writer}",
            "see that one machine alone works on it, and try again",
        )

    def _replace_alone(self, name: str, expected: int | None, document: Document) -> Document | None:
        producer = transactional_producer({**self._place.connection, **_QUIET}, self._author.writer)
        try:
            self._insist(producer.init_transactions)
            found = self._log.read(name, self._stop)
            if (found and found.version) != expected:
                return found
            self._write(producer, key_of(self._place.mirror, name), encode(document, self._author))
            return document
        finally:
            producer.purge()

    def _write(self, producer: Producer, key: bytes, value: bytes) -> None:
        refusals: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            refusals.extend(() if error is None else (error,))

        producer.begin_transaction()
        try:
            producer.produce(self._place.topic, value, key, SLOT, on_delivery=delivered)
            self._insist(producer.commit_transaction)
        except KafkaException as error:
            if kafka_error(error).code() == _UNDELIVERED and refusals:
                raise KafkaException(refusals[0]) from None
            raise

    def _insist(self, call: Callable[[float], None]) -> None:
        """Make ``call``, again where it has not come to its end: it goes on where it was."""
        deadline = time.monotonic() + _END_S
        while True:
            try:
                return call(_SLICE_S)
            except KafkaException as error:
                if not kafka_error(error).retriable() or self._stop.is_set() or time.monotonic() > deadline:
                    raise


def _explained(error: KafkaError, operation: str) -> CheckpointError:
    if error.code() in _TOO_LARGE:
        return StoreRefusedError(operation, error.str(), "set max.message.bytes of the topic to its default or more")
    return explanation(error, operation)
