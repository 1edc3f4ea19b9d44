"""Workers as members of a Kafka consumer group: the partitions of a topic are the slots they share."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from types import TracebackType
from typing import Any, cast

import structlog
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from bridge.coordination.base import Coordinator, Owner
from bridge.coordination.commits import Commits
from bridge.coordination.group_settings import GroupSettings
from bridge.coordination.share import Change, ChangeKind, Share
from checkpoints.base import CheckpointError, FencedError
from checkpoints.kafka.group.committer import CommittedOffset, ConsumerGroup
from checkpoints.kafka.group.document import FORGOTTEN
from connectors.base import ConnectorError, RefusedError, TransientError
from connectors.kafka.connection import kafka_error, translate
from connectors.kafka.transaction import generation_of

log = structlog.get_logger(__name__)

_POLL_S = 0.05
_ACT_S = 0.01
_LOOK_UP_S = 2.0
_GIVE_UP_S = 20.0
"""A worker that cannot hand over within this time is overruled: what it has under way is fenced by the group."""

_NO_MEMBER = "this worker is no member at the moment"


class KafkaGroup(Coordinator):
    """Membership in one group, held by a thread of its own: of the checkpoint topic, or of the one that is read.

    Slots that are revoked are given up before the group hears that they are free, and lost ones before this worker
    joins again. The group's generation fences what a worker does that was away meanwhile: transactions that carry
    ``metadata``, and what it lets ``commit``.
    """

    def __init__(self, settings: GroupSettings) -> None:
        self._settings = settings
        self._metadata: bytes | None = None
        self._slots: frozenset[int] = frozenset()
        """Ours as far as the owner may believe: those it has been told of, until it has acted on their end."""
        self._commits = Commits(ConsumerGroup(settings.client, settings.group, settings.topic))
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
        metadata = None if self._is_overruled else self._metadata
        if metadata is not None:
            return metadata
        raise TransientError(f"work in group {self._settings.group}", _NO_MEMBER)

    async def commit(self, offsets: Mapping[int, CommittedOffset]) -> None:
        """As promised by ``checkpoints.kafka.group.committer.Committer``, for partitions of the group's topic.

        What is saved last of slots that are given up passes: nobody else gets them before that.
        """
        if self._is_overruled:
            raise FencedError(f"commit offsets of group {self._settings.group}", _NO_MEMBER)
        topic = self._settings.topic
        listed = [TopicPartition(topic, slot, each.offset, each.metadata) for slot, each in offsets.items()]
        await self._commits.ask(lambda _consumer: listed)

    async def confirm(self) -> None:
        """As promised by the contract: the group takes a commit of what is committed from members alone.

        A worker that was expelled passes when it has joined anew, which it does when its slots are lost.
        """
        while self._slots or self._is_overruled:
            try:
                await self._commits.ask(self._known)
            except FencedError:
                pass
            except CheckpointError as error:
                log.warning("not known whether this worker is still a member, asking again", error=str(error))
            else:
                if not self._is_overruled:
                    return
            await asyncio.sleep(_POLL_S)

    def _known(self, consumer: Consumer) -> list[TopicPartition]:
        """What is committed for one of our slots. For one that never was: what says nothing."""
        topic = self._settings.topic
        found = consumer.committed([TopicPartition(topic, slot) for slot in sorted(self._slots)], _LOOK_UP_S)
        committed = next((each for each in found if each.error is None and each.offset >= 0), None)
        if committed is not None:
            return [committed]
        return [TopicPartition(topic, slot, FORGOTTEN.offset, FORGOTTEN.metadata) for slot in sorted(self._slots)[:1]]

    @property
    def _is_overruled(self) -> bool:
        return any(not change.handled.done() for change in self._overruled)

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
        own = {"logger": _Silence(), "on_commit": self._commits.answered}
        try:
            consumer = Consumer(cast("dict[str, Any]", {**self._settings.consumer(), **own}))
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
            self._commits.close()
            with suppress(KafkaException):
                consumer.close()

    def _poll(self, consumer: Consumer) -> None:
        message = consumer.poll(_POLL_S)
        if message is not None and (error := message.error()) is not None:
            self._complain(error)
        self._look(consumer)
        self._serve(self._commits.serve, consumer)
        if not self._has_joined and self._metadata is not None:
            # Where others own everything, nothing is assigned, and nothing is called.
            self._has_joined = True
            self._tell(Change(ChangeKind.ASSIGNED))

    def _look(self, consumer: Consumer) -> None:
        """Learn the generation. Only this thread may ask: beside a poll in another one, the client waits forever."""
        metadata = cast("bytes", consumer.consumer_group_metadata())
        self._metadata = metadata if generation_of(metadata) >= 0 else None

    def _serve(self, serve: Callable[[Consumer], None], consumer: Consumer) -> None:
        # While a group is empty it takes offsets of anybody, and of a member that was expelled, too.
        if self._metadata is None:
            self._commits.refuse(_NO_MEMBER)
        else:
            serve(consumer)

    def _complain(self, error: KafkaError) -> None:
        """End where the client cannot go on, or may not begin; what it recovers from by itself is logged."""
        named = self._refusal(error)
        if _is_fatal(error) or (isinstance(named, RefusedError) and not self._has_joined):
            self._fail(named)
        elif error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            log.warning("group", error=error.str())

    def _fail(self, error: ConnectorError) -> None:
        self._commits.close()
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
        self._slots |= _slots(partitions)
        self._tell(Change(ChangeKind.ASSIGNED, _slots(partitions)))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # The generation has risen already, and nobody else gets these slots in it: what is saved last passes.
        self._look(consumer)
        serve = partial(self._serve, self._commits.serve_at_once, consumer)
        self._wait_for(Change(ChangeKind.REVOKED, _slots(partitions)), serve)
        self._slots -= _slots(partitions)
        consumer.incremental_unassign(partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._metadata = None
        self._wait_for(Change(ChangeKind.LOST, _slots(partitions)), partial(self._commits.refuse, _NO_MEMBER))
        self._slots -= _slots(partitions)
        consumer.incremental_unassign(partitions)

    def _tell(self, change: Change) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._changes.put_nowait, change)

    def _wait_for(self, change: Change, serve: Callable[[], None]) -> None:
        """Until the owner has acted on it, or nobody does any more. Whoever lost its slots is not overruled.

        Meanwhile, and at the end, ``serve`` sees to what the owner asks for: nothing is left of it behind the change.
        """
        if not self._unheard.is_set():
            self._tell(change)
        deadline = time.monotonic() + _GIVE_UP_S
        while not (self._unheard.is_set() or change.handled.done()):
            serve()
            with suppress(TimeoutError):
                change.handled.result(_ACT_S)
            if time.monotonic() > deadline and change.kind is ChangeKind.REVOKED and not change.handled.done():
                self._overruled = [*(each for each in self._overruled if not each.handled.done()), change]
                log.error("handing over took too long, going on without", seconds=_GIVE_UP_S)
                break
        serve()


class _Silence:
    """The connection's troubles are told by the producer, in the same words."""

    def log(self, *_: object) -> None:
        """Say nothing."""


def _slots(partitions: list[TopicPartition]) -> frozenset[int]:
    return frozenset(each.partition for each in partitions)


def _is_fatal(error: KafkaError) -> bool:
    """As a consumer tells it: by a code, where a producer sets a mark."""
    return error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001
