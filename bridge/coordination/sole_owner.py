"""The checkpoints of a mirror on which nobody works, owned as a whole by somebody who wants to change them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

from bridge.coordination.base import Owner
from bridge.coordination.fenced_writer import FencedWriter
from bridge.coordination.group_settings import GroupSettings
from bridge.coordination.kafka_group import KafkaGroup
from bridge.coordination.members import Member, members
from checkpoints.base import Checkpoint, CheckpointError, CheckpointStore, StoreBusyError
from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.store import KafkaCheckpoints
from checkpoints.kafka.topic import CheckpointTopic

_JOIN_S = 20.0
"""A group lets its first member wait for others, by default for 3 s."""
_LOOK_S = 1.0
_SAVE_S = 30.0


class SoleOwner(CheckpointStore):
    """Owns every slot while entered, as the only member of the mirror's group.

    Entering raises ``StoreBusyError``, which names them, where workers are alive. A worker that joins meanwhile gets
    its slots at once; what is not saved by then is refused in the same way.
    """

    def __init__(self, place: CheckpointTopic, settings: GroupSettings, slots: int | None) -> None:
        """``slots`` is None where any number of them will do."""
        self._place = place
        self._settings = settings
        self._group = KafkaGroup(settings)
        self._writer = FencedWriter(place.connection, place.topic, self._group, settings.worker_id)
        self._store = KafkaCheckpoints(
            place,
            self._writer,
            GroupFence(place.connection),
            writer_id=settings.worker_id,
            slots=slots,
            session_timeout_s=settings.session_timeout_s,
        )
        self._opened: _Opened | None = None

    async def __aenter__(self) -> Self:
        await self._check_alone()
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(self._store)
            await opening.enter_async_context(self._writer)
            await opening.enter_async_context(self._group)
            share = _Share(self._store.slots)
            running = asyncio.create_task(self._group.run(share), name="own all slots")
            opening.push_async_callback(_end, running)
            await self._own_all(share, running)
            self._opened = _Opened(share, opening.pop_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened, self._opened = self._entered(), None
        await opened.resources.aclose()

    def slot_of(self, partition: str) -> int:
        return self._store.slot_of(partition)

    async def load(self) -> Mapping[str, Checkpoint]:
        """All checkpoints, complete: nothing of a former owner's comes later."""
        return await self._store.take(range(self._store.slots))

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        async with self._undisturbed():
            await self._store.save(checkpoints)

    async def delete(self, partitions: Iterable[str]) -> None:
        async with self._undisturbed():
            await self._store.delete(partitions)

    async def _own_all(self, share: "_Share", running: "asyncio.Task[None]") -> None:
        """Wait for all slots. Raises what ``running`` raises, and where others want a part of them."""
        deadline = asyncio.get_running_loop().time() + _JOIN_S
        waiting = asyncio.create_task(share.complete.wait())
        try:
            while not waiting.done():
                await asyncio.wait((running, waiting), timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    running.result()
                if not waiting.done():
                    await self._check_alone()
                    if asyncio.get_running_loop().time() > deadline:
                        raise self._unanswered()
        finally:
            waiting.cancel()

    @asynccontextmanager
    async def _undisturbed(self) -> AsyncIterator[None]:
        """Nobody gets a slot before this is left. Raises ``StoreBusyError`` where somebody has got one already."""
        share = self._entered().share
        async with share.turn:
            if not share.is_all:
                await self._check_alone()
                raise StoreBusyError(
                    self._operation, "the slots were lost meanwhile, nothing is changed", "run the command again"
                )
            try:
                async with asyncio.timeout(_SAVE_S):
                    yield
            except TimeoutError:
                raise CheckpointError(
                    self._operation,
                    f"no answer within {_SAVE_S:g} s, so that nobody can say whether they are changed",
                    "look with: kmbridge checkpoints list",
                ) from None

    async def _check_alone(self) -> None:
        place, worker = self._place, self._settings.worker_id
        others = [
            member for member in await members(place.connection, place.group, place.topic) if member.worker != worker
        ]
        if others:
            raise self._busy(others)

    def _busy(self, others: Collection[Member]) -> StoreBusyError:
        named = ", ".join(f"worker {each}" for each in others)
        verb = "is" if len(others) == 1 else "are"
        session = f"{self._settings.session_timeout_s:g} s"
        return StoreBusyError(
            self._operation,
            f"{named} {verb} alive: seen within its session of {session}",
            f"stop the mirror first; if it is gone, try again in {session}; or see --force",
        )

    def _unanswered(self) -> CheckpointError:
        return CheckpointError(
            self._operation, f"group {self._place.group} gave out no slots within {_JOIN_S:g} s", "try again"
        )

    @property
    def _operation(self) -> str:
        return f"change the checkpoints of {self._place.mirror}"

    def _entered(self) -> "_Opened":
        if self._opened is None:
            raise RuntimeError("this store is not entered")
        return self._opened


class _Share(Owner):
    """The slots that are ours. They are given up between two writes."""

    def __init__(self, slots: int) -> None:
        self.complete = asyncio.Event()
        self.turn = asyncio.Lock()
        """Held by who writes."""
        self._missing = set(range(slots))
        self._is_disturbed = False
        """What was read does not hold any more, even where all slots have come back."""

    @property
    def is_all(self) -> bool:
        return not self._missing and not self._is_disturbed

    async def take(self, slots: Collection[int]) -> None:
        self._missing -= set(slots)
        if self.is_all:
            self.complete.set()

    async def give_up(self, slots: Collection[int]) -> None:
        async with self.turn:
            await self.lose(slots)

    async def lose(self, slots: Collection[int]) -> None:
        self._missing |= set(slots)
        self._is_disturbed = True


class _Opened:
    """What is there while a store is entered."""

    def __init__(self, share: _Share, resources: AsyncExitStack) -> None:
        self.share = share
        self.resources = resources


async def _end(running: "asyncio.Task[None]") -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
