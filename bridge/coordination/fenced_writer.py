"""Checkpoints in a topic where the records are no part of their transaction: still fenced by the group."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException

from checkpoints.base import CheckpointError
from checkpoints.kafka.writer import SlotRecord
from connectors.base import ConnectorError, TransientError
from connectors.kafka.connection import kafka_error
from connectors.kafka.transaction import AbortedError, Membership, Transactions, transactional

_OPERATION = "save checkpoints"


class FencedWriter:
    """Writes each save as a transaction of its own, which only a member of the present generation can commit.

    A worker that was away for longer than its session writes nothing over what others wrote meanwhile. Used while
    entered; works in a thread of its own.
    """

    def __init__(self, client: Mapping[str, object], topic: str, membership: Membership, transactional_id: str) -> None:
        """``client`` configures any client of the checkpoints' cluster."""
        # What goes wrong is raised by the call that it befalls; nobody polls for a log.
        settings = {**client, "enable.idempotence": True, "linger.ms": 0, "log_level": 0}
        self._settings = transactional(settings, transactional_id)
        self._topic = topic
        self._membership = membership
        self._stopped = Event()
        self._thread: ThreadPoolExecutor | None = None
        self._transactions: Transactions | None = None

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="save")
        # Ends what an earlier life of a named worker left open, which would hold this one up.
        self._thread.submit(self._prepare)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(self._drop)
            await asyncio.to_thread(thread.shutdown)

    async def write(self, records: Sequence[SlotRecord]) -> None:
        """As promised by ``checkpoints.kafka.writer.Writer``."""
        if self._thread is None:
            raise RuntimeError("this writer is not entered")
        try:
            metadata = self._membership.metadata()
        except TransientError as error:
            raise CheckpointError(_OPERATION, error.cause, error.hint) from None
        written = asyncio.get_running_loop().run_in_executor(self._thread, self._write, records, metadata)
        await asyncio.shield(written)

    def _prepare(self) -> None:
        """Begin early; what fails here fails again with the first write."""
        with suppress(KafkaException, ConnectorError):
            self._made().prepare()

    def _made(self) -> Transactions:
        if self._transactions is None:
            self._transactions = Transactions(self._settings, self._topic, self._stopped, _OPERATION)
        return self._transactions

    def _write(self, records: Sequence[SlotRecord], metadata: bytes) -> None:
        try:
            transactions = self._made()
            transactions.begin(metadata)
            transactions.write(records)
            transactions.commit()
        except KafkaException as error:
            raise CheckpointError(_OPERATION, kafka_error(error).str(), "check the librdkafka settings") from None
        except ConnectorError as error:
            if not isinstance(error, AbortedError):
                self._drop()
            raise CheckpointError(_OPERATION, error.cause, error.hint) from None

    def _drop(self) -> None:
        """A producer that is of no more use, or not needed any more."""
        transactions, self._transactions = self._transactions, None
        if transactions is not None:
            transactions.producer.purge()
