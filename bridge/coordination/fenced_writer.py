"""Checkpoints in a topic where the records are no part of their transaction: still fenced by the group."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Event
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException

from bridge.leavable_thread import LeavableThread
from checkpoints.base import CheckpointError
from checkpoints.kafka.writer import SlotRecord
from connectors.base import ConnectorError, TransientError
from connectors.kafka.connection import kafka_error
from connectors.kafka.patience import answers
from connectors.kafka.transaction import AbortedError, Membership, Transactions, transactional

_OPERATION = "save checkpoints"
_LOOK_S = 1.0
_LEAVE_S = 10.0


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
        self._client = client
        self._topic = topic
        self._membership = membership
        self._desk: _Desk | None = None

    async def __aenter__(self) -> Self:
        self._desk = self._open()
        # Ends what an earlier life of a named worker left open, which would hold this one up.
        self._desk.thread.submit(self._desk.prepare)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        desk, self._desk = self._desk, None
        if desk is not None:
            desk.leave()
            await asyncio.to_thread(desk.thread.join, _LEAVE_S)

    async def write(self, records: Sequence[SlotRecord]) -> None:
        """As promised by ``checkpoints.kafka.writer.Writer``."""
        desk = self._desk
        if desk is None:
            raise RuntimeError("this writer is not entered")
        try:
            metadata = self._membership.metadata()
        except TransientError as error:
            raise CheckpointError(_OPERATION, error.cause, error.hint) from None
        written = asyncio.wrap_future(desk.thread.submit(partial(desk.write, records, metadata)))
        while not (await asyncio.wait({written}, timeout=_LOOK_S))[0]:
            if (loss := await asyncio.to_thread(desk.loss)) is not None:
                self._replace(desk)
                written.add_done_callback(_heard)
                raise CheckpointError(_OPERATION, loss.cause, loss.hint)
        written.result()

    def _open(self) -> "_Desk":
        return _Desk(self._settings, self._topic, partial(answers, self._client))

    def _replace(self, lost: "_Desk") -> None:
        """Go on with another producer, and leave behind the thread whose call does not return."""
        lost.leave()
        if self._desk is lost:
            self._desk = self._open()


def _heard(written: asyncio.Future[None]) -> None:
    """Nobody waits for it any more."""
    if not written.cancelled():
        written.exception()


class _Desk:
    """A thread and its producer, which is made anew where it is of no more use."""

    def __init__(self, settings: Mapping[str, object], topic: str, cluster_answers: Callable[[], bool]) -> None:
        self.thread = LeavableThread("save")
        self._settings = settings
        self._topic = topic
        self._cluster_answers = cluster_answers
        self._stopped = Event()
        self._transactions: Transactions | None = None

    def leave(self) -> None:
        """End soon what is under way, and the thread behind it. Does not wait."""
        self._stopped.set()
        self.thread.submit(self._drop)
        self.thread.end()

    def loss(self) -> ConnectorError | None:
        """As that of ``Transactions``."""
        transactions = self._transactions
        return None if transactions is None else transactions.loss()

    def prepare(self) -> None:
        """Begin early; what fails here fails again with the first write."""
        with suppress(KafkaException, ConnectorError):
            self._made().prepare()

    def write(self, records: Sequence[SlotRecord], metadata: bytes) -> None:
        """Write ``records`` as one transaction. Raises ``CheckpointError``."""
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

    def _made(self) -> Transactions:
        if self._transactions is None:
            self._transactions = Transactions(
                self._settings, self._topic, self._stopped, _OPERATION, self._cluster_answers
            )
        return self._transactions

    def _drop(self) -> None:
        """A producer that is of no more use, or not needed any more."""
        transactions, self._transactions = self._transactions, None
        if transactions is not None:
            transactions.producer.purge()
