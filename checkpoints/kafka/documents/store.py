"""The documents of a mirror, whose checkpoints may be in this topic or in none."""

from collections.abc import Callable
from contextlib import closing
from threading import Event
from types import TracebackType
from typing import Self, TypeVar

from checkpoints.documents import Document, Documents, checked_name
from checkpoints.kafka.documents.log import DocumentLog
from checkpoints.kafka.documents.writer import DocumentWriter
from checkpoints.kafka.threads import Threads
from checkpoints.kafka.topic import CheckpointTopic

T = TypeVar("T")

PATIENCE_S = 30.0
"""A broker gives the transaction of a dead worker up after its 10 s, but looks for such ones every 10 s only."""


class KafkaDocuments(Documents):
    """Leaves alone what the mirror's workers have: group and transactional ids. Connects anew for each call."""

    def __init__(self, place: CheckpointTopic, slots: int | None = None, *, patience_s: float = PATIENCE_S) -> None:
        """A topic that is missing is made with the first save: with ``slots``, or None for the default.

        ``patience_s`` is how long a call waits for transactions that were open before it, of workers for instance.
        """
        self._place = place
        self._slots = slots
        self._patience_s = patience_s
        self._thread: Threads | None = None

    async def __aenter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError("these documents are entered already")
        # One, so that a call which was given up does not come in the way of the next.
        self._thread = Threads(1, "documents")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread, self._thread = self._entered(), None
        thread.close()

    async def load(self, name: str) -> Document | None:
        def read(log: DocumentLog, stop: Event) -> Document | None:
            return log.read(name, stop) if log.find_topic() else None

        checked_name(name)
        return await self._with_log(read)

    async def _replace(self, name: str, expected: int | None, document: Document) -> Document | None:
        def replace(log: DocumentLog, stop: Event) -> Document | None:
            log.find_or_create_topic(self._slots)
            return DocumentWriter(self._place, log, stop).replace(name, expected, document)

        return await self._with_log(replace)

    async def _with_log(self, work: Callable[[DocumentLog, Event], T]) -> T:
        def connected(stop: Event) -> T:
            with closing(DocumentLog(self._place, self._patience_s)) as log:
                return work(log, stop)

        return await self._entered().run(connected)

    def _entered(self) -> Threads:
        if self._thread is None:
            raise RuntimeError("these documents are not entered")
        return self._thread
