"""A sink that lives in memory and writes transactions, with the guarantees of a real one and faults on request."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from connectors.base import (
    Batch,
    ConnectorError,
    Outcome,
    Place,
    Position,
    Record,
    Rejected,
    Save,
    Scope,
    Sink,
    TransientError,
)
from connectors.memory.cluster import Change, Membership, MemoryCluster, Transaction
from connectors.memory.faults import Faults
from connectors.memory.topic import MemoryTopic

_Saved = Sequence[Change] | None
"""None: saving has failed."""


class Attachment(Protocol):
    """Where the changes of a transaction are collected while its checkpoints are saved."""

    def open(self) -> None:
        """From here on changes are collected for the transaction that is about to be committed."""

    def take(self) -> Sequence[Change]:
        """What was collected since."""


@dataclass(frozen=True, slots=True)
class MemoryTopics:
    """Where records go, and those that are refused there; None: nowhere in this cluster."""

    sink: MemoryTopic
    dead_letter: MemoryTopic | None = None


class TransactionalMemorySink(Sink):
    """Writes scopes one after the other, in the order in which they were begun, each as one transaction.

    A fault before a write or a commit aborts the transaction, and breaks every scope that was begun by then. A fault at
    ``committed`` loses the answer. ``refuses`` names the reason for records that the sink can never take; with
    ``foresees`` it knows them on ``inspect``, without only those that have cost a transaction.
    """

    def __init__(
        self,
        topics: MemoryTopics,
        cluster: MemoryCluster,
        attachment: Attachment,
        faults: Faults,
        membership: Membership,
        *,
        refuses: Callable[[Record], str | None] | None = None,
        foresees: bool = True,
    ) -> None:
        self._topics = topics
        self._cluster = cluster
        self._attachment = attachment
        self._faults = faults
        self._membership = membership
        self._refuses = refuses
        self._foresees = foresees
        self._refused: set[tuple[str, Position]] = set()
        self._transaction: Transaction | None = None
        self._scopes: list[MemoryTransactionScope] = []
        self._steps: deque[Callable[[], Awaitable[None]]] = deque()
        self._stepping = asyncio.Event()
        self._usable = asyncio.Event()
        self._usable.set()
        self._discarding = False
        self._worker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._worker = asyncio.create_task(self._work(), name="memory transactions")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])
        self._break(TransientError("write", "the sink was left"))

    @property
    def identity(self) -> str:
        return f"{self._topics.sink.name}@1"

    @property
    def address(self) -> str:
        return f"memory:{self._topics.sink.name}"

    async def begin(self) -> Scope:
        await self._faults.before("begin", "")
        await self._usable.wait()
        scope = MemoryTransactionScope(self, self._topics, self._attachment)
        self._scopes.append(scope)
        return scope

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        found = ((index, self._reason(record)) for index, record in enumerate(batch.records()))
        known = ((index, reason) for index, reason in found if reason and self._is_known(batch, index))
        return tuple(Rejected(index, reason, f"refused: {reason}") for index, reason in known)

    def send(self, topic: MemoryTopic, lane: str, batch: Batch) -> None:
        """Write ``batch`` into the transaction that is or will be open."""
        self._then(partial(self._send, self._generation(), topic, lane, batch))

    def commit(self, scope: "MemoryTransactionScope", saved: "asyncio.Future[_Saved]") -> None:
        """Commit what was sent until now, together with what is ``saved``, then tell ``scope``."""
        self._then(partial(self._commit, self._generation(), scope, saved))

    def abort(self) -> None:
        """Break all scopes, and give up what was sent. The next one begins when that is done."""
        self._usable.clear()
        self._then(self._give_up)

    def _then(self, step: Callable[[], Awaitable[None]]) -> None:
        self._steps.append(step)
        self._stepping.set()

    async def _work(self) -> None:
        while True:
            while not self._steps:
                self._stepping.clear()
                await self._stepping.wait()
            step = self._steps.popleft()
            if self._discarding and step != self._resume:
                continue
            try:
                await step()
            except ConnectorError as error:
                self._transaction = None
                self._discarding = True
                # Heard a moment later, as from a thread: what is sent until then is lost as well.
                asyncio.get_running_loop().call_soon(self._break, error)

    async def _resume(self) -> None:
        """Stands behind everything that belongs to scopes that broke."""
        self._discarding = False

    async def _give_up(self) -> None:
        raise TransientError("write", "given up")

    async def _send(self, generation: int | None, topic: MemoryTopic, lane: str, batch: Batch) -> None:
        transaction = self._opened(generation)
        await self._faults.before("write", lane)
        if topic is self._topics.sink:
            self._judge(batch)
        transaction.records += [(topic, record) for record in batch.records()]

    async def _commit(
        self, generation: int | None, scope: "MemoryTransactionScope", saved: "asyncio.Future[_Saved]"
    ) -> None:
        # Whoever saves goes on when this worker is gone.
        changes = await asyncio.shield(saved)
        if changes is None:
            await self._give_up()
        elif changes or scope.waits:
            await self._conclude(self._opened(generation), changes)
        asyncio.get_running_loop().call_soon(self._heard, scope)

    async def _conclude(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        if not changes:
            raise TransientError("commit", "a transaction without a checkpoint")
        transaction.changes = changes
        await self._faults.before("prepare", "")
        self._cluster.prepare(transaction)
        try:
            await self._faults.before("commit", "")
        except ConnectorError:
            self._cluster.end(transaction, committed=False)
            raise
        await self._cluster.commit(transaction, partial(self._faults.before, "committed", ""))
        self._transaction = None

    def _heard(self, scope: "MemoryTransactionScope") -> None:
        if scope.broken is None:
            self._scopes.remove(scope)
            scope.succeed()

    def _generation(self) -> int | None:
        """That of now, in which the lanes that write and save are known to be this worker's."""
        try:
            return self._membership.generation()
        except TransientError:
            return None

    def _opened(self, generation: int | None) -> Transaction:
        """The open transaction; it is begun with the first that is asked for."""
        if self._transaction is None:
            if generation is None:
                raise TransientError("begin", "this worker is no member of the group")
            self._transaction = Transaction(self._membership, generation)
        return self._transaction

    def _break(self, error: ConnectorError) -> None:
        broken, self._scopes = self._scopes, []
        for scope in broken:
            scope.fail(error)
        self._then(self._resume)
        self._usable.set()

    def _reason(self, record: Record) -> str | None:
        return None if self._refuses is None else self._refuses(record)

    def _is_known(self, batch: Batch, index: int) -> bool:
        return self._foresees or (batch.partition, batch.positions[index]) in self._refused

    def _judge(self, batch: Batch) -> None:
        """Refuse what cannot be taken and was not known to be so."""
        refused = [record.position for record in batch.records() if self._reason(record)]
        if refused:
            self._refused.update((batch.partition, position) for position in refused)
            raise TransientError(f"write {batch.partition}", f"refused: {', '.join(refused)}")


class MemoryTransactionScope(Scope):
    """One transaction. Its submissions are answered when it is committed."""

    def __init__(self, sink: TransactionalMemorySink, topics: MemoryTopics, attachment: Attachment) -> None:
        self.broken: ConnectorError | None = None
        self._sink = sink
        self._topics = topics
        self._attachment = attachment
        self._answers: list[asyncio.Future[Outcome]] = []
        self._committed: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._places: dict[str, Place] = {}

    @property
    def waits(self) -> bool:
        return bool(self._answers)

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        return self._send(self._topics.sink, lane, batch)

    def bury(self, lane: str, letter: Batch) -> asyncio.Future[Outcome] | None:
        topic = self._topics.dead_letter
        return None if topic is None else self._send(topic, lane, letter)

    def inspect_letter(self, letter: Batch) -> tuple[Rejected, ...] | None:
        return None if self._topics.dead_letter is None else ()

    async def commit(self, save: Save) -> None:
        if self.broken is not None:
            raise self.broken
        saved: asyncio.Future[_Saved] = asyncio.get_running_loop().create_future()
        # Its place in the line is before whatever is submitted to others while it is saved.
        self._sink.commit(self, saved)
        self._attachment.open()
        try:
            await save(dict(self._places))
        except BaseException:
            self._attachment.take()
            saved.set_result(None)
            self.abort()
            raise
        saved.set_result(self._attachment.take())
        await asyncio.shield(self._committed)

    def abort(self) -> None:
        self._sink.abort()

    def succeed(self) -> None:
        """The transaction is committed."""
        for future in (self._committed, *self._answers):
            if not future.done():
                future.set_result(Outcome())

    def fail(self, error: ConnectorError) -> None:
        """The transaction is aborted, or nobody knows."""
        self.broken = error
        for future in (*self._answers, self._committed):
            if not future.done():
                future.set_exception(error)
                # Nobody may be waiting for it.
                future.exception()

    def _send(self, topic: MemoryTopic, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self.broken is not None:
            answer.set_exception(TransientError("submit", f"broken by {self.broken}"))
            return answer
        self._answers.append(answer)
        self._places[lane] = batch.place
        self._sink.send(topic, lane, batch)
        return answer
