"""Checkpoints in the offsets of the group whose members share the partitions of the topic that is read."""

from collections.abc import Collection, Iterable, Mapping
from types import TracebackType
from typing import Self

from checkpoints.base import Checkpoint, CheckpointReader, CheckpointStore, StoreFormatError
from checkpoints.kafka.connection import admin_client
from checkpoints.kafka.group.committer import CommittedOffset, Committer, ConsumerGroup
from checkpoints.kafka.group.document import FORGOTTEN, decode, encode
from checkpoints.kafka.group.offsets import GroupOffsets
from checkpoints.kafka.group.refusals import explained
from checkpoints.kafka.threads import Threads


class GroupCheckpointReader(CheckpointReader):
    """Looks the group's offsets up, also while mirrors commit them. A group that does not exist has no checkpoints."""

    def __init__(self, place: ConsumerGroup) -> None:
        self._place = place

    async def load(self) -> Mapping[str, Checkpoint]:
        """As promised by the contract. Raises ``CheckpointError`` where the cluster does not answer, or refuses."""
        thread = Threads(1, "checkpoints")
        try:
            return _checkpoints(self._place, await thread.run(lambda _stop: _offsets(self._place).look_up()))
        finally:
            thread.close()


class GroupCheckpoints(CheckpointStore):
    """One checkpoint a partition of the topic, and each partition a slot. Saves are the committer's.

    Positions are offsets as text. Metadata are short: see ``encode`` for what does not fit. The brokers forget the
    offsets of a group that has no members for ``offsets.retention.minutes``, by default seven days.
    """

    def __init__(self, place: ConsumerGroup, committer: Committer) -> None:
        self._place = place
        self._committer = committer
        self._opened: _Opened | None = None

    async def __aenter__(self) -> Self:
        """Reach the group's coordinator. Raises ``StoreUnreachableError``, ``StoreRefusedError``."""
        if self._opened is not None:
            raise RuntimeError("this store is entered already")
        thread = Threads(1, "checkpoints")
        try:
            offsets = await thread.run(lambda _stop: _offsets(self._place))
            await thread.run(lambda _stop: offsets.look_up())
        except BaseException:
            thread.close()
            raise
        self._opened = _Opened(thread, offsets)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened, self._opened = self._entered(), None
        opened.thread.close()

    def slot_of(self, partition: str) -> int:
        """The partition's number. Raises ``StoreFormatError`` where ``partition`` is no number."""
        if not (partition.isascii() and partition.isdecimal()):
            raise StoreFormatError(
                f"find partition {partition} of topic {self._place.topic}",
                "not a number, as the partitions of a topic are",
                "name one as kmbridge checkpoints list shows it",
            )
        return int(partition)

    async def load(self) -> Mapping[str, Checkpoint]:
        return await self._look_up(None)

    async def forgets(self) -> bool:
        """The brokers may have dropped what was committed, but for where it was deleted by name."""
        opened = self._entered()
        return FORGOTTEN not in (await opened.thread.run(lambda _stop: opened.offsets.look_up(None))).values()

    async def take(self, slots: Collection[int]) -> Mapping[str, Checkpoint]:
        """As promised by the contract: what a former owner commits is fenced since this worker owns ``slots``."""
        return await self._look_up(slots) if slots else {}

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        await self._commit({partition: encode(each) for partition, each in checkpoints.items()})

    async def delete(self, partitions: Iterable[str]) -> None:
        known = await self.load()
        await self._commit({partition: FORGOTTEN for partition in partitions if partition in known})

    async def _look_up(self, slots: Collection[int] | None) -> Mapping[str, Checkpoint]:
        opened = self._entered()
        return _checkpoints(self._place, await opened.thread.run(lambda _stop: opened.offsets.look_up(slots)))

    async def _commit(self, offsets: Mapping[str, CommittedOffset]) -> None:
        self._entered()
        if offsets:
            await self._committer.commit({self.slot_of(partition): each for partition, each in offsets.items()})

    def _entered(self) -> "_Opened":
        if self._opened is None:
            raise RuntimeError("this store is not entered")
        return self._opened


class _Opened:
    """What is there while a store is entered."""

    def __init__(self, thread: Threads, offsets: GroupOffsets) -> None:
        self.thread = thread
        self.offsets = offsets


def _offsets(place: ConsumerGroup) -> GroupOffsets:
    with explained(f"reach Kafka for the offsets of group {place.group}", place):
        return GroupOffsets(place, admin_client(place.connection))


def _checkpoints(place: ConsumerGroup, committed: Mapping[int, CommittedOffset]) -> dict[str, Checkpoint]:
    found = {
        str(partition): decode(each, f"of partition {partition} in the offsets of group {place.group}")
        for partition, each in sorted(committed.items())
    }
    return {partition: each for partition, each in found.items() if each is not None}
