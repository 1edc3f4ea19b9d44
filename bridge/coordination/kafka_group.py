"""Workers as members of a Kafka consumer group: the partitions of the checkpoint topic are the slots they share."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from threading import Event, Thread
from types import TracebackType
from typing import Any, Literal, cast

import structlog
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from bridge.coordination.base import Coordinator, Owner
from connectors.base import ConnectorError, RefusedError, TransientError
from connectors.kafka.connection import kafka_error, translate
from connectors.kafka.transaction import generation_of

log = structlog.get_logger(__name__)

_POLL_S = 0.05
_GIVE_UP_S = 20.0
"""A worker that cannot hand over within this time is overruled: what it has under way is fenced by the group."""
_REBALANCE_MS = 30_000
_HEARTBEATS = 12
"""In one session."""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """``client`` configures any client of the cluster; ``worker_id`` is this process's name in the group."""

    client: Mapping[str, object] = field(repr=False)
    topic: str
    group: str
    worker_id: str
    session_timeout_s: float = 6.0
    protocol: Literal["classic", "consumer"] = "classic"
    instance: str | None = None
    """Makes the member a static one: gone for less than a session, it finds its slots again."""

    def consumer(self) -> dict[str, object]:
        """A consumer that never reads: membership is all it is for."""
        settings: dict[str, object] = {
            **self.client,
            "client.id": self.worker_id,
            "group.id": self.group,
            "group.protocol": self.protocol,
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "max.poll.interval.ms": max(_REBALANCE_MS, round(self.session_timeout_s * 1000)),
        }
        if self.instance is not None:
            settings["group.instance.id"] = self.instance
        if self.protocol == "classic":
            session_ms = round(self.session_timeout_s * 1000)
            settings["session.timeout.ms"] = session_ms
            settings["heartbeat.interval.ms"] = max(100, session_ms // _HEARTBEATS)
            settings["partition.assignment.strategy"] = "cooperative-sticky"
        return settings


class _Kind(Enum):
    ASSIGNED = "assigned"
    REVOKED = "revoked"
    LOST = "lost"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class _Change:
    kind: _Kind
    slots: frozenset[int] = frozenset()
    handled: "Future[None]" = field(default_factory=Future)
    error: ConnectorError | None = None


class KafkaGroup(Coordinator):
    """Membership in one group, held by a thread of its own.

    Slots that are revoked are given up before the group hears that they are free, and lost ones before this worker
    joins again. The group's generation fences what a worker does that was away meanwhile: see ``metadata``.
    """

    def __init__(self, settings: GroupSettings) -> None:
        self._settings = settings
        self._metadata: bytes | None = None
        self._overruled: list[_Change] = []
        """Slots that others may own by now, while the owner here has not acted on it yet."""
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changes: asyncio.Queue[_Change] = asyncio.Queue()
        self._leaving = Event()
        self._unheard = Event()
        """Set when nobody acts on changes any more."""
        self._has_joined = False
        self._is_member = False

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unheard.set()
        self._leaving.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    @property
    def is_member(self) -> bool:
        return self._is_member

    def metadata(self) -> bytes:
        """The group's metadata, for a transaction that begins now. From any thread.

        Some tenths of a second old at the most: a generation that is over by then fences a transaction without need,
        and never lets one pass. Raises ``TransientError`` where this worker is no member.
        """
        metadata = self._metadata
        if any(not change.handled.done() for change in self._overruled):
            metadata = None
        if metadata is not None:
            return metadata
        raise TransientError(f"work in group {self._settings.group}", "this worker is no member at the moment")

    async def run(self, owner: Owner) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._be_member, name=f"group {self._settings.group}", daemon=True)
        self._thread.start()
        share = _Share(owner)
        try:
            await share.follow(self._changes, partial(self._heard, share))
        finally:
            self._unheard.set()
            await share.close()

    def _heard(self, share: "_Share", change: _Change) -> None:
        self._is_member = change.kind is not _Kind.LOST
        if change.kind is _Kind.LOST:
            log.warning(
                "slots lost: the group did not hear of this worker for a session, it joins again",
                slots=len(change.slots),
                worker=self._settings.worker_id,
            )
        elif change.slots:
            event = "slots assigned" if change.kind is _Kind.ASSIGNED else "slots given up"
            log.info(event, slots=len(change.slots), owned=share.owned)

    def _be_member(self) -> None:
        try:
            consumer = Consumer(cast("dict[str, Any]", {**self._settings.consumer(), "logger": _Silence()}))
        except KafkaException as error:
            self._tell(_Change(_Kind.FAILED, error=translate(kafka_error(error), "configure the Kafka group", "")))
            return
        try:
            consumer.subscribe(
                [self._settings.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
            while not self._leaving.is_set():
                self._poll(consumer)
        except KafkaException as error:
            self._fail(self._refusal(kafka_error(error)))
        except Exception as error:  # noqa: BLE001
            # A thread that ended silently would leave every lane without a group.
            self._fail(TransientError(f"work in group {self._settings.group}", repr(error)))
        finally:
            self._metadata = None
            with suppress(KafkaException):
                consumer.close()

    def _poll(self, consumer: Consumer) -> None:
        message = consumer.poll(_POLL_S)
        if message is not None and (error := message.error()) is not None:
            self._complain(error)
        self._look(consumer)
        if not self._has_joined and self._metadata is not None:
            # Where others own everything, nothing is assigned, and nothing is called.
            self._has_joined = True
            self._tell(_Change(_Kind.ASSIGNED))

    def _look(self, consumer: Consumer) -> None:
        """Learn the generation. Only this thread may ask: beside a poll in another one, the client waits forever."""
        metadata = cast("bytes", consumer.consumer_group_metadata())
        self._metadata = metadata if generation_of(metadata) >= 0 else None

    def _complain(self, error: KafkaError) -> None:
        """End where the client cannot go on, or may not begin; what it recovers from by itself is logged."""
        named = self._refusal(error)
        if _is_fatal(error) or (isinstance(named, RefusedError) and not self._has_joined):
            self._fail(named)
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            log.warning("group", error=error.str())

    def _fail(self, error: ConnectorError) -> None:
        self._tell(_Change(_Kind.FAILED, error=error))
        self._leaving.wait()

    def _refusal(self, error: KafkaError) -> ConnectorError:
        operation = f"join group {self._settings.group}"
        if error.code() == KafkaError.INVALID_SESSION_TIMEOUT:
            hint = "set workers.session_timeout within group.min.session.timeout.ms and group.max.session.timeout.ms"
            return RefusedError(
                operation, f"the brokers do not allow a session of {self._settings.session_timeout_s:g} s", hint
            )
        if self._settings.instance is not None and _is_fatal(error):
            return RefusedError(
                operation, error.str(), f"another worker runs with workers.instance {self._settings.instance}"
            )
        return translate(error, operation, "")

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        ours = [TopicPartition(each.topic, each.partition, OFFSET_END) for each in partitions]
        consumer.incremental_assign(ours)
        consumer.pause(ours)
        self._look(consumer)
        self._has_joined = True
        self._tell(_Change(_Kind.ASSIGNED, _slots(partitions)))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # The generation has risen already, and nobody else gets these slots in it: what is saved last passes.
        self._look(consumer)
        self._wait_for(_Change(_Kind.REVOKED, _slots(partitions)))
        consumer.incremental_unassign(partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._metadata = None
        self._wait_for(_Change(_Kind.LOST, _slots(partitions)))
        consumer.incremental_unassign(partitions)

    def _tell(self, change: _Change) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._changes.put_nowait, change)

    def _wait_for(self, change: _Change) -> None:
        """Until the owner has acted on it, or nobody does any more. Whoever lost its slots is not overruled."""
        if self._unheard.is_set():
            return
        self._tell(change)
        waited_s = 0.0
        while not self._unheard.is_set():
            with suppress(TimeoutError):
                change.handled.result(_POLL_S)
                return
            waited_s += _POLL_S
            if waited_s >= _GIVE_UP_S and change.kind is _Kind.REVOKED:
                self._overruled = [*(each for each in self._overruled if not each.handled.done()), change]
                log.error("handing over took too long, going on without", seconds=_GIVE_UP_S)
                return


class _Share:
    """What is assigned to this worker, and how much of it the owner has taken."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._assigned: set[int] = set()
        self._taken: set[int] = set()
        self._taking: asyncio.Task[None] | None = None

    @property
    def owned(self) -> int:
        """How many slots are this worker's."""
        return len(self._assigned)

    async def follow(self, changes: "asyncio.Queue[_Change]", heard: Callable[[_Change], None]) -> None:
        """Act on changes, one after the other; a ``take`` that is under way makes room for the next."""
        while True:
            change = await self._next(changes)
            await self._interrupt()
            if change.error is not None:
                raise change.error
            try:
                await self._apply(change)
            finally:
                if not change.handled.done():
                    change.handled.set_result(None)
            heard(change)
            self._taking = asyncio.create_task(self._take(self._assigned - self._taken), name="take slots")

    async def close(self) -> None:
        await self._interrupt()

    async def _next(self, changes: "asyncio.Queue[_Change]") -> _Change:
        """The next change; raises what taking slots raised meanwhile."""
        getting = asyncio.create_task(changes.get())
        try:
            while not getting.done():
                waiting: set[asyncio.Task[Any]] = {getting}
                if self._taking is not None:
                    waiting.add(self._taking)
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if self._taking is not None and self._taking.done():
                    taking, self._taking = self._taking, None
                    taking.result()
            return getting.result()
        finally:
            getting.cancel()

    async def _apply(self, change: _Change) -> None:
        if change.kind is _Kind.ASSIGNED:
            self._assigned |= change.slots
            return
        self._assigned -= change.slots
        self._taken -= change.slots
        if change.kind is _Kind.REVOKED:
            await self._owner.give_up(change.slots)
        else:
            await self._owner.lose(change.slots)

    async def _take(self, slots: Collection[int]) -> None:
        await self._owner.take(slots)
        self._taken |= set(slots)

    async def _interrupt(self) -> None:
        taking, self._taking = self._taking, None
        if taking is not None:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)


class _Silence:
    """The connection's troubles are told by the producer, in the same words."""

    def log(self, *_: object) -> None:
        """Say nothing."""


def _slots(partitions: list[TopicPartition]) -> frozenset[int]:
    return frozenset(each.partition for each in partitions)


def _is_fatal(error: KafkaError) -> bool:
    """As a consumer tells it: by a code, where a producer sets a mark."""
    return error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001
