"""The way of records into topics by transactions: a producer, and threads that work through scopes, poll and watch."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread

from confluent_kafka import KafkaError, KafkaException

from connectors.base import Batch, ConnectorError, Scope, TransientError
from connectors.kafka.culprits import REASONS
from connectors.kafka.producing import produce
from connectors.kafka.refusals import Refusals
from connectors.kafka.search import Search
from connectors.kafka.transaction import AbortedError, Membership, SlotRecord, Transactions
from connectors.kafka.transaction_scope import Attachment, Topics, TransactionScope
from connectors.kafka.watch import TopicWatch

_POLL_S = 0.1
_FULL_S = 0.01
_REPORTS_S = 2.0
_LEAVE_S = 10.0

log = logging.getLogger(__name__)


class TransactionLine:
    """Works through scopes in the order in which they were begun, one transaction at a time.

    A scope that fails takes all with it that were begun by then. The line goes on after an aborted transaction, and
    is of no more use once ``failure`` is set. Methods without a comment are called in the event loop and do not block.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a transaction has to do with all of them
        self,
        make: Callable[[Event, Callable[[str], None]], Transactions],
        topics: Topics,
        membership: Membership,
        attachment: Attachment,
        watch: TopicWatch,
        refusals: Refusals,
        now_ms: Callable[[], int],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """For a thread beside ``loop``, in which all answers are given: blocks for some milliseconds, or a second.

        Raises ``KafkaException`` where librdkafka does not take the settings.
        """
        self.membership = membership
        self._topics = topics
        self._attachment = attachment
        self._watch = watch
        self.refusals = refusals
        self._now_ms = now_ms
        self._stopped = Event()
        self._transactions = make(self._stopped, self.alarm)
        self._loop = loop
        self._prepared = asyncio.Event()
        self._usable = asyncio.Event()
        self._usable.set()
        self._scopes: list[TransactionScope] = []
        self.failure: ConnectorError | None = None
        self.suspects = 0
        """None that would concern another line: what is refused is in the refusals."""
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._resume = self._go_on
        """Stands in the queue behind everything that belongs to scopes that broke."""
        self._discarding = False
        self._current: TransactionScope | None = None
        """Whose transaction is open."""
        self._alarm = ""
        self._search = Search()
        name = f"kafka {topics.sink.name}"
        self._sender = Thread(target=self._work_all, name=f"{name} transactions", daemon=True)
        self._poller = Thread(target=self._poll_all, name=f"{name} poll", daemon=True)
        self._watcher = Thread(target=self._watch_topic, name=f"{name} watch", daemon=True)
        for thread in (self._sender, self._poller, self._watcher):
            thread.start()

    async def prepared(self) -> None:
        """Wait until transactions can begin. Raises what ended the line before."""
        await self._prepared.wait()
        if self.failure is not None:
            raise self.failure

    async def begin(self) -> Scope:
        """The next scope, once an aborted transaction is over. Raises what ended the line."""
        await self._usable.wait()
        if self.failure is not None:
            raise self.failure
        scope = TransactionScope(self, self._topics, self._attachment, self._now_ms)
        self._scopes.append(scope)
        return scope

    def turn(self) -> TransactionScope | None:
        """The one scope whose records may be sent: the first that is not closing."""
        return next((scope for scope in self._scopes if not scope.is_closing), None)

    def forget(self, scope: TransactionScope) -> None:
        """It has ended."""
        if scope in self._scopes:
            self._scopes.remove(scope)
        self._pass_turn()

    def _pass_turn(self) -> None:
        if (following := self.turn()) is not None:
            following.release()

    def send(self, scope: TransactionScope, topic: str, batch: Batch) -> None:
        """Produce ``batch`` into the transaction of ``scope``."""
        self._queue.put(partial(self._send, scope, topic, batch))

    def commit(self, scope: TransactionScope, records: Sequence[SlotRecord]) -> None:
        """Commit what was sent, together with ``records``, then tell ``scope``."""
        self._queue.put(partial(self._commit, scope, records))
        self._pass_turn()

    def abort(self) -> None:
        """Break all scopes, and give up what was sent. The next one begins when that is done."""
        self._usable.clear()
        self._queue.put(self._give_up)

    def retire(self, cause: str) -> None:
        """Break for good, behind what is being committed: another line is to go on."""
        self._usable.clear()
        self._queue.put(partial(self._end, cause))

    def alarm(self, text: str) -> None:
        """Nothing more may be produced: the topic is another. From any thread."""
        self._alarm = self._alarm or text

    async def close(self) -> None:
        """Give up what is not committed and end all threads. What has no answer by then raises."""
        self._break(TransientError(self._operation, "the sink was left"), fatal=True)
        await asyncio.to_thread(self._join)

    @property
    def _operation(self) -> str:
        return f"write to topic {self._topics.sink.name}"

    def _join(self) -> None:
        self._poller.join()
        self._watcher.join()
        self._sender.join(_LEAVE_S)
        if self._sender.is_alive():
            log.warning("%s: a call to the coordinator does not return, its producer is left behind", self._operation)
        else:
            self._transactions.release()

    def _commit_heard(self, scope: TransactionScope) -> None:
        self.forget(scope)
        if scope.broken is None:
            scope.succeed()

    def _break(self, error: ConnectorError, *, fatal: bool) -> None:
        broken, self._scopes = self._scopes, []
        for scope in broken:
            scope.fail(error)
        if fatal and self.failure is None:
            self.failure = error
            self._stopped.set()
            self._queue.put(None)
        self._queue.put(self._resume)
        self._usable.set()
        self._prepared.set()

    def _call(self, callback: Callable[[], object]) -> None:
        """In the event loop, if that still runs."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback)

    def _poll_all(self) -> None:
        while not self._stopped.is_set():
            try:
                self._transactions.producer.poll(_POLL_S)
            except KafkaException:
                # Fatal: the call that the sender makes next tells what it means for the transaction.
                self._stopped.wait(_POLL_S)
            if (loss := self._transactions.loss()) is not None:
                self._call(partial(self._break, loss, fatal=True))
                self._stopped.wait()

    def _watch_topic(self) -> None:
        if (change := self._watch.change(self._stopped)) is not None:
            self.alarm(change)

    def _work_all(self) -> None:
        self._guard(self._prepare)
        for task in iter(self._queue.get, None):
            if task is self._resume or not (self._discarding or self._stopped.is_set()):
                self._guard(task)
            # While the next one is awaited, nothing here may keep the memory of one that is committed.
            del task
        with suppress(ConnectorError):
            self._transactions.abort()
        self._transactions.producer.purge()

    def _guard(self, task: Callable[[], None]) -> None:
        """Do the task; a thread that ended silently would leave every lane waiting."""
        try:
            task()
        except AbortedError as error:
            self._discarding = True
            self._judge(error)
            self._call(partial(self._break, error, fatal=False))
        except ConnectorError as error:
            self._discarding = True
            self._call(partial(self._break, error, fatal=True))
        except BaseException as error:  # noqa: BLE001
            self._discarding = True
            unexpected = TransientError(self._operation, repr(error))
            self._call(partial(self._break, unexpected, fatal=True))

    def _prepare(self) -> None:
        self._transactions.prepare()
        self._call(self._prepared.set)

    def _go_on(self) -> None:
        self._discarding = False

    def _give_up(self) -> None:
        self._transactions.abort()
        raise AbortedError(self._operation, "given up", KafkaError.NO_ERROR)

    def _end(self, cause: str) -> None:
        self._transactions.abort()
        raise TransientError(self._operation, cause)

    def _send(self, scope: TransactionScope, topic: str, batch: Batch) -> None:
        self._check()
        self._begin(scope)
        self._search.records += len(batch)
        try:
            for part in self._search.parts(batch):
                self._produce(topic, part)
                if part is not batch:
                    self._transactions.producer.flush(_REPORTS_S)
        except KafkaException as error:
            raise self._transactions.failed(error) from None

    def _produce(self, topic: str, batch: Batch) -> None:
        reports = self._search.reports(topic, batch)
        partition = self._topics.partition(topic, batch)
        start: int | None = 0
        while start is not None and not self._stopped.is_set():
            start = produce(self._transactions.producer, topic, partition, batch, start, reports, self._stopped)
            if start is not None:
                self._stopped.wait(_FULL_S)

    def _commit(self, scope: TransactionScope, records: Sequence[SlotRecord]) -> None:
        self._check()
        self._begin(scope)
        self._transactions.write(records)
        self._transactions.commit()
        self._search.passed()
        self._call(partial(self._commit_heard, scope))

    def _begin(self, scope: TransactionScope) -> None:
        """Open the transaction of ``scope``: what another one has sent must not be committed with its checkpoints."""
        if self._transactions.is_open and self._current is not scope:
            self._transactions.abort()
            raise AbortedError(self._operation, "two scopes in one transaction", KafkaError.NO_ERROR)
        self._current = scope
        self._transactions.begin(scope.metadata or b"")

    def _check(self) -> None:
        if self._alarm:
            raise TransientError(self._operation, self._alarm)

    def _judge(self, error: AbortedError) -> None:
        """Learn from an aborted transaction which records were refused."""
        if error.code in REASONS:
            with suppress(KafkaException):
                self._transactions.producer.flush(_REPORTS_S)
        for each in self._search.failed(refused=error.code in REASONS):
            position = each.batch.positions[each.index]
            self.refusals.add(each.topic, each.batch.partition, position, each.rejection())
