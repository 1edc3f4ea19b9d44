"""Workers as members of a Kafka consumer group: the partitions of the checkpoint topic are the slots they share."""

import asyncio
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from types import TracebackType
from typing import Any, cast

import structlog
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from bridge.coordination.base import Coordinator, Owner
from bridge.coordination.group_settings import GroupSettings
from bridge.coordination.share import Change, ChangeKind, Share
from connectors.base import ConnectorError, RefusedError, TransientError
from connectors.kafka.connection import kafka_error, translate
from connectors.kafka.transaction import generation_of

log = structlog.get_logger(__name__)

_POLL_S = 0.05
_GIVE_UP_S = 20.0
"""A worker that cannot hand over within this time is overruled: what it has under way is fenced by the group."""


class KafkaGroup(Coordinator):
    """Membership in one group, held by a thread of its own.

    Slots that are revoked are given up before the group hears that they are free, and lost ones before this worker
    joins again. The group's generation fences what a worker does that was away meanwhile: see ``metadata``.
    """

    def __init__(self, settings: GroupSettings) -> None:
        self._settings = settings
        self._metadata: bytes | None = None
        self._overruled: list[Change] = []
        """Slots that others may own by now, while the owner here has not acted on it yet."""
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changes: asyncio.Queue[Change] = asyncio.Queue()
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
        share = Share(owner)
        try:
            await share.follow(self._changes, partial(self._heard, share))
        finally:
            self._unheard.set()
            await share.close()

    def _heard(self, share: "Share", change: Change) -> None:
        self._is_member = change.kind is not ChangeKind.LOST
        if change.kind is ChangeKind.LOST:
            log.warning(
                "slots lost: the group did not hear of this worker for a session, it joins again",
                slots=len(change.slots),
                worker=self._settings.worker_id,
            )
        elif change.slots:
            event = "slots assigned" if change.kind is ChangeKind.ASSIGNED else "slots given up"
            log.info(event, slots=len(change.slots), owned=share.owned)

    def _be_member(self) -> None:
        try:
            consumer = Consumer(cast("dict[str, Any]", {**self._settings.consumer(), "logger": _Silence()}))
        except KafkaException as error:
            self._tell(Change(ChangeKind.FAILED, error=translate(kafka_error(error), "configure the Kafka group", "")))
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
            self._tell(Change(ChangeKind.ASSIGNED))

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
        self._tell(Change(ChangeKind.FAILED, error=error))
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
        self._tell(Change(ChangeKind.ASSIGNED, _slots(partitions)))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # The generation has risen already, and nobody else gets these slots in it: what is saved last passes.
        self._look(consumer)
        self._wait_for(Change(ChangeKind.REVOKED, _slots(partitions)))
        consumer.incremental_unassign(partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._metadata = None
        self._wait_for(Change(ChangeKind.LOST, _slots(partitions)))
        consumer.incremental_unassign(partitions)

    def _tell(self, change: Change) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._changes.put_nowait, change)

    def _wait_for(self, change: Change) -> None:
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
            if waited_s >= _GIVE_UP_S and change.kind is ChangeKind.REVOKED:
                self._overruled = [*(each for each in self._overruled if not each.handled.done()), change]
                log.error("handing over took too long, going on without", seconds=_GIVE_UP_S)
                return


class _Silence:
    """The connection's troubles are told by the producer, in the same words."""

    def log(self, *_: object) -> None:
        """Say nothing."""


def _slots(partitions: list[TopicPartition]) -> frozenset[int]:
    return frozenset(each.partition for each in partitions)


def _is_fatal(error: KafkaError) -> bool:
    """As a consumer tells it: by a code, where a producer sets a mark."""
    return error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001
