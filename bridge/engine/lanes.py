"""The lanes of what this worker owns: made, started in the order of lineage, handed over."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import aclosing
from random import Random

import structlog

from bridge.coordination.base import Owner
from bridge.engine.identity import of_this_source, other_ends
from bridge.engine.lane import Lane, Surroundings
from bridge.engine.ledger import Ledger
from bridge.engine.lineage import beginning, startable
from bridge.engine.progress import Progress
from bridge.engine.retry import Backoff
from bridge.engine.status import LaneState
from checkpoints.base import Checkpoint, CheckpointError, CheckpointStore
from connectors.base import ConnectorError, Partition, Place, TransientError

log = structlog.get_logger(__name__)

_ENDED = (LaneState.FINISHED, LaneState.FAILED)


class Lanes(Owner):
    """One lane each partition in the slots that this worker owns.

    A child starts when its parents are finished, wherever these run: what other workers have stored is looked up
    while somebody here waits for it. Changes of ownership and of the listing come one after the other.
    """

    def __init__(
        self,
        store: CheckpointStore,
        around: Surroundings,
        random: Random,
        changed: Callable[[], None],
    ) -> None:
        """``changed`` is called when a lane has ended, or what is owned is other."""
        self.lanes: dict[str, Lane] = {}
        self.ledger = Ledger(store, around.source, around.destination, self.lanes, around.policy, around.clock)
        self.is_arranged = False
        """Whether every partition listed has its lane here, or belongs to another worker."""
        self._store = store
        self._around = around
        self._random = random
        self._changed = changed
        self._running: dict[str, asyncio.Task[None]] = {}
        self._slots: set[int] = set()
        self._is_assigned = False
        self._listing: tuple[Partition, ...] | None = None
        self._checkpoints: dict[str, Checkpoint] = {}
        """The last known ones of all partitions; of those here, as they were when taken."""
        self._expired: set[str] = set()
        """Those that have a checkpoint, and were not listed when they were looked for."""
        self._changing = asyncio.Lock()
        self._draining = False
        self._tasks: asyncio.TaskGroup | None = None

    def run_in(self, tasks: asyncio.TaskGroup) -> None:
        """Lanes become tasks of ``tasks``."""
        self._tasks = tasks

    async def update(self, listing: tuple[Partition, ...]) -> None:
        """``listing`` is all there is now."""
        async with self._changing:
            self._listing = listing
            await self._arrange()

    async def take(self, slots: Collection[int]) -> None:
        async with self._changing:
            had_begun = self._has_begun
            await self._read(slots)
            if self._has_begun and not had_begun:
                # Whoever begins the mirror writes to many slots at once: some may have been read before that.
                await self._read(slots)
            self._slots |= set(slots)
            self._is_assigned = True
            await self._arrange()

    async def give_up(self, slots: Collection[int]) -> None:
        async with self._changing:
            names = self._in(slots)
            if await self._settled(names, self._around.policy.handover_s):
                self._around.delivery.interrupt("slots given up")
            elif names and self.ledger.has_moved():
                await self._around.delivery.commit(self.ledger)
            self._forget(names, slots)

    async def lose(self, slots: Collection[int]) -> None:
        # Not behind whoever is changing something: what is lost may belong to others already.
        names = self._in(slots)
        if names:
            self._around.delivery.interrupt("slots lost")
        await self._cancelled(names)
        async with self._changing:
            names = self._in(slots)
            await self._cancelled(names)
            self._forget(names, slots)

    async def retake(self) -> None:
        """Stop all lanes, and start them anew from what is stored."""
        async with self._changing:
            names = list(self.lanes)
            await self._cancelled(names)
            slots = set(self._slots)
            self._forget(names, slots)
            await self._read(slots)
            self._slots |= slots
            await self._arrange()

    async def follow(self) -> None:
        """Look up now and then what other workers have stored, while something here waits for it, until cancelled."""
        while True:
            await self._around.clock.sleep(self._around.policy.follow_s)
            if self._listing is None:
                continue
            if self._unknown():
                await self._list_anew()
            if self._has_begun and not self._waiting_for_others():
                continue
            try:
                # Not behind the lock: this may wait for a transaction of somebody, whom it may keep waiting.
                seen = await self._store.load()
            except CheckpointError as error:
                self._complain(error)
            else:
                async with self._changing:
                    await self._learn(seen)

    async def _learn(self, seen: Mapping[str, Checkpoint]) -> None:
        if seen and not self._has_begun:
            await self._read(self._slots)
        self._checkpoints.update({name: each for name, each in seen.items() if not self._owns(name)})
        await self._arrange()

    async def drain(self) -> None:
        """Stop reading, and settle what is on its way within the policy's time."""
        self._draining = True
        late = await self._settled(list(self.lanes), self._around.policy.drain_s)
        if late:
            log.warning("drain took too long, what is not settled will be read again", lanes=late)

    def is_stuck(self) -> bool:
        """Whether no lane can go on, because of those that failed."""
        hopeful = self._running.keys() | self._waiting_for_others()
        alive = any(self.lanes[name].state not in _ENDED for name in hopeful)
        return not alive and any(lane.state is LaneState.FAILED for lane in self.lanes.values())

    @property
    def _has_begun(self) -> bool:
        """Whether the mirror has checkpoints at all: then what has none appeared later."""
        return bool(self._checkpoints)

    async def _read(self, slots: Collection[int]) -> None:
        """Learn what is stored in ``slots``, however long that takes."""
        backoff = Backoff(self._random)
        while slots:
            try:
                found = await self._store.take(slots)
            except CheckpointError as error:
                self._complain(error)
                await self._around.clock.sleep(backoff.next())
            else:
                kept = {name: each for name, each in self._checkpoints.items() if self._slot(name) not in slots}
                self._checkpoints = kept | dict(found)
                return

    async def _arrange(self) -> None:
        """Make a lane of every partition here, and start those whose turn it is."""
        if self._listing is None:
            return
        if 0 in self._slots and not self._has_begun:
            await self._begin(self._listing)
        if self._has_begun:
            unknown = self._unknown()
            for partition in self._partitions(self._listing):
                name = partition.id
                if self._owns(name) and name not in self.lanes and name not in unknown and not self._is_finished(name):
                    self.lanes[name] = self._lane(partition)
            self._start()
        self.is_arranged = self._is_assigned and (self._has_begun or not self._listing or not self._slots)
        self._changed()

    async def _begin(self, listing: tuple[Partition, ...]) -> None:
        """Fix where a new mirror starts. One worker does so for all, the owner of the first slot."""
        try:
            self._checkpoints.update(await self._store.load())
            if not self._checkpoints:
                log.info("no checkpoints yet: the mirror begins at its start", partitions=len(listing))
                places = await self._around.source.start(listing)
                self._checkpoints.update(await self.ledger.begin(places, self._around.delivery))
        except CheckpointError as error:
            self._complain(error)
        except TransientError as error:
            log.warning("the mirror's start is not saved, trying again", error=str(error))

    def _unknown(self) -> set[str]:
        """Partitions here that have a checkpoint, and are not listed as far as is known.

        Whoever stored that may have seen the partition first: it has parents, and must not start before they end.
        """
        listed = {partition.id for partition in self._listing or ()}
        unlisted = self._checkpoints.keys() - listed - self._expired
        return {name for name in unlisted if self._owns(name) and not self._is_finished(name)}

    async def _list_anew(self) -> None:
        """Learn whether ``_unknown`` partitions are new or have expired."""
        unknown = self._unknown()
        try:
            async with aclosing(self._around.source.partitions()) as listings:
                fresh = await anext(listings)
        except ConnectorError as error:
            log.warning("partitions not listed, trying again", error=str(error))
            return
        async with self._changing:
            self._expired |= unknown - {partition.id for partition in fresh}
            self._listing = fresh
            await self._arrange()

    def _partitions(self, listing: tuple[Partition, ...]) -> Iterable[Partition]:
        """All that is listed, and what has a checkpoint without being listed any more."""
        listed = {partition.id for partition in listing}
        return (*listing, *(Partition(name) for name in self._checkpoints if name not in listed))

    def _lane(self, partition: Partition) -> Lane:
        checkpoint = self._checkpoints.get(partition.id)
        progress = Progress(Place())
        gap = None
        if checkpoint is not None:
            progress = Progress(_place(checkpoint), checkpoint, gaps=checkpoint.gaps)
            gap = other_ends(partition.id, checkpoint, self._around.source, self._around.destination)
        return Lane(partition, progress, self._around, Backoff(self._random), gap)

    def _start(self) -> None:
        if self._tasks is None or self._draining:
            return
        waiting = [lane.partition for name, lane in self.lanes.items() if name not in self._running]
        read = {name: _place(each) for name, each in self._checkpoints.items() if not self._owns(name)}
        read |= {name: _place(each) for name, each in self._checkpoints.items() if self._is_finished(name)}
        read |= {name: lane.progress.place for name, lane in self.lanes.items()}
        for partition in startable(waiting, self._unfinished()):
            lane = self.lanes[partition.id]
            if lane.progress.place == Place():
                lane.progress.place = beginning(partition, read)
            running = self._tasks.create_task(self._run(lane), name=f"lane {partition.id}")
            self._running[partition.id] = running

    async def _run(self, lane: Lane) -> None:
        await lane.run()
        if lane.state is LaneState.FINISHED:
            self._start()
        self._changed()

    def _unfinished(self) -> set[str]:
        partitions = self._partitions(self._listing or ())
        return {partition.id for partition in partitions if not self._is_finished(partition.id)}

    def _is_finished(self, name: str) -> bool:
        if name in self.lanes:
            return self.lanes[name].state is LaneState.FINISHED
        checkpoint = self._checkpoints.get(name)
        return checkpoint is not None and checkpoint.finished and of_this_source(checkpoint, self._around.source)

    def _waiting_for_others(self) -> set[str]:
        """The lanes here that wait for a parent elsewhere."""
        waiting = {name: lane.partition.parents for name, lane in self.lanes.items() if name not in self._running}
        if not waiting:
            return set()
        elsewhere = {name for name in self._unfinished() if not self._owns(name)}
        return {name for name, parents in waiting.items() if not elsewhere.isdisjoint(parents)}

    async def _settled(self, names: Collection[str], patience_s: float) -> int:
        """Stop reading in these and wait for what is on its way; how many had to be stopped before it was."""
        for name in names:
            self.lanes[name].drain()
        running = [self._running[name] for name in names if name in self._running]
        if not running:
            return 0
        _, late = await asyncio.wait(running, timeout=patience_s)
        await _cancelled(late)
        return len(late)

    async def _cancelled(self, names: Collection[str]) -> None:
        await _cancelled([self._running[name] for name in names if name in self._running])

    def _forget(self, names: Collection[str], slots: Collection[int]) -> None:
        for name in names:
            stored = self.lanes.pop(name).progress.stored
            self._running.pop(name, None)
            if stored is not None:
                self._checkpoints[name] = stored
        self._slots -= set(slots)
        self._changed()

    def _in(self, slots: Collection[int]) -> list[str]:
        return [name for name in self.lanes if self._slot(name) in slots]

    def _owns(self, name: str) -> bool:
        return self._slot(name) in self._slots

    def _slot(self, name: str) -> int:
        return self._store.slot_of(name)

    def _complain(self, error: CheckpointError) -> None:
        if not error.retriable:
            raise error
        log.warning("checkpoints not read, trying again", error=str(error))


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _place(checkpoint: Checkpoint) -> Place:
    return Place(checkpoint.position, checkpoint.watermark_ms)
