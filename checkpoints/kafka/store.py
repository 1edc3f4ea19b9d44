"""Checkpoints in a compacted topic, whose partitions are the slots that workers of a mirror share."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from threading import Event
from types import TracebackType
from typing import Self

from checkpoints.base import Checkpoint, CheckpointError, CheckpointReader, CheckpointStore, StoreFormatError
from checkpoints.kafka.clients import Clients
from checkpoints.kafka.document import Author, encode, key_of
from checkpoints.kafka.fence import Fence
from checkpoints.kafka.former_owners import FormerOwners
from checkpoints.kafka.identity import TopicIdentity
from checkpoints.kafka.slots import slot_of
from checkpoints.kafka.takeover import Takeover
from checkpoints.kafka.threads import Threads
from checkpoints.kafka.topic import CheckpointTopic
from checkpoints.kafka.writer import SlotRecord, Writer


class KafkaCheckpointReader(CheckpointReader):
    """Looks into the topic, also while mirrors write it. Creates nothing: without a topic there are no checkpoints."""

    def __init__(self, place: CheckpointTopic, *, patience_s: float = 20.0) -> None:
        """``patience_s`` is how long ``load`` waits for transactions that are open when it is called."""
        self._place = place
        self._patience_s = patience_s

    async def load(self) -> Mapping[str, Checkpoint]:
        """As promised by the contract. Raises ``CheckpointError`` where an open transaction hides what is there."""
        thread = Threads(1, "checkpoints")
        try:
            return await thread.run(self._read)
        finally:
            thread.close()

    def _read(self, stop: Event) -> Mapping[str, Checkpoint]:
        with closing(Clients(self._place)) as clients:
            return self._read_all(clients, stop)

    def _read_all(self, clients: Clients, stop: Event) -> Mapping[str, Checkpoint]:
        slots = clients.open()
        if slots is None:
            return {}
        ends = clients.log.ends(range(slots))
        reading = clients.log.read(ends, self._patience_s, stop)
        if reading.held and not stop.is_set():
            held = {slot: ends[slot] for slot in reading.held}
            writers = ", ".join(sorted(author.writer for author in clients.log.hidden_authors(held, stop)))
            raise CheckpointError(
                f"read slots {', '.join(map(str, sorted(held)))} of topic {self._place.topic}",
                f"an open transaction hides what is there, written by {writers or 'unknown'}",
                "it ends by itself within its transaction.timeout.ms, or when a worker of its mirror starts",
            )
        return reading.checkpoints


class KafkaCheckpoints(CheckpointStore):
    """Owns the slots that were taken, as the mirror's group gave them to this worker. Saves are the writer's.

    Everything that blocks happens in threads of its own.
    """

    def __init__(
        self,
        place: CheckpointTopic,
        writer: Writer,
        fence: Fence,
        *,
        writer_id: str,
        slots: int | None = None,
        session_timeout_s: float = 6.0,
    ) -> None:
        """``writer_id`` is the transactional id of ``writer``. ``slots`` is None where any number of them will do.

        An open transaction that is waited for longer than ``session_timeout_s`` is logged.
        """
        self._place = place
        self._writer = writer
        self._fence = fence
        self._author = Author(writer_id, place.group)
        self._asked_slots = slots
        self._session_timeout_s = session_timeout_s
        self._opened: _Opened | None = None

    async def __aenter__(self) -> Self:
        """Find the topic, or create it.

        Raises ``StoreFormatError`` where it cannot serve, ``StoreRefusedError`` where a person must act, and
        ``StoreUnreachableError`` where the cluster does not answer.
        """
        if self._opened is not None:
            raise RuntimeError("this store is entered already")
        thread = Threads(1, "checkpoints")
        clients = Clients(self._place)
        try:
            slots = await thread.run(lambda _stop: clients.open_or_create(self._asked_slots))
        except BaseException:
            thread.close(clients.close)
            raise
        former = FormerOwners(self._fence, self._author.writer)
        takeover = Takeover(thread, clients.log, clients.offsets, former, self._session_timeout_s)
        identity = TopicIdentity(self._place.topic, lambda: thread.run(lambda _stop: clients.identity()))
        try:
            await identity.begin()
        except BaseException:
            thread.close(clients.close)
            raise
        self._opened = _Opened(thread, clients, former, takeover, identity, slots)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened = self._entered()
        self._opened = None
        await opened.close()

    @property
    def slots(self) -> int:
        """How many slots there are. Valid once entered."""
        return self._entered().slots

    def slot_of(self, partition: str) -> int:
        return slot_of(partition, self._entered().slots)

    async def load(self) -> Mapping[str, Checkpoint]:
        opened = self._entered()
        return (await opened.takeover.read(range(opened.slots))).checkpoints

    async def take(self, slots: Collection[int]) -> Mapping[str, Checkpoint]:
        """As promised by the contract. Raises ``StoreFormatError`` where a checkpoint is not in its slot."""
        opened = self._entered()
        self._check_range(slots, opened.slots)
        if not slots:
            return {}
        if not opened.surveyed:
            # A checkpoint in another slot than its own would be missed by who takes its own.
            await opened.takeover.look(range(opened.slots))
            opened.surveyed = True
        reading = await opened.takeover.take(slots)
        # Not before: the topic may be made anew until it is read.
        await opened.identity.confirm()
        opened.ends.update(reading.reached)
        opened.former.end_later(frozenset[Author]().union(*reading.authors.values()))
        return reading.checkpoints

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        await self._write({partition: encode(each, self._author) for partition, each in checkpoints.items()})

    async def delete(self, partitions: Iterable[str]) -> None:
        await self._write(dict.fromkeys(partitions))

    async def _write(self, values: Mapping[str, bytes | None]) -> None:
        opened = self._entered()
        opened.identity.check()
        if not values:
            return
        slots = {partition: slot_of(partition, opened.slots) for partition in values}
        # A transaction ends in one more record, its marker.
        ends = {slot: opened.ends.get(slot, 0) + count + 1 for slot, count in Counter(slots.values()).items()}
        await self._writer.write(
            [
                SlotRecord(slots[partition], key_of(self._place.mirror, partition), value, ends[slots[partition]])
                for partition, value in values.items()
            ]
        )
        opened.ends.update(ends)

    def _check_range(self, slots: Collection[int], count: int) -> None:
        if beyond := [slot for slot in slots if slot >= count]:
            raise StoreFormatError(
                f"take slot {min(beyond)} of topic {self._place.topic}",
                f"partitions were added to it: there were {count}",
                "name a new topic with checkpoints.kafka.topic, and set there where the mirror stands",
            )

    def _entered(self) -> "_Opened":
        if self._opened is None:
            raise RuntimeError("this store is not entered")
        return self._opened


class _Opened:
    """What is there while a store is entered."""

    def __init__(
        self,
        thread: Threads,
        clients: Clients,
        former: FormerOwners,
        takeover: Takeover,
        identity: TopicIdentity,
        slots: int,
    ) -> None:
        self.identity = identity
        self.former = former
        self.takeover = takeover
        self.slots = slots
        self.surveyed = False
        self.ends: dict[int, int] = {}
        """Where each slot's log ends as far as we wrote it: others write there too, so it may end later."""
        self._thread = thread
        self._clients = clients

    async def close(self) -> None:
        try:
            await self.identity.close()
            await self.former.close()
            await self._thread.run(lambda _stop: self._clients.close())
        finally:
            self._thread.close(self._clients.close)
