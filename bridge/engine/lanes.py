"""The lanes of what this worker owns: made, started in the order of lineage, handed over."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import aclosing
from random import Random

import structlog

from bridge.coordination.base import Owner
from bridge.engine.identity import other_ends
from bridge.engine.lane import Lane
from bridge.engine.lane_tasks import LaneTasks
from bridge.engine.ledger import Ledger
from bridge.engine.left import by_now, left_behind
from bridge.engine.lineage import startable
from bridge.engine.opening import Opening
from bridge.engine.orders import Orders
from bridge.engine.passing import OrderError
from bridge.engine.progress import Progress
from bridge.engine.retry import Backoff
from bridge.engine.standings import Standings
from bridge.engine.start import Start
from bridge.engine.status import ENDED, LaneState, LaneStatus
from bridge.engine.surroundings import Surroundings
from checkpoints.base import Checkpoint, CheckpointError, CheckpointStore, StoreBusyError
from connectors.base import ConnectorError, GapError, Partition, Place, TransientError

log = structlog.get_logger(__name__)

_LOST = "lost by this worker: it is not known here who works on it"
_READ_ANEW = "stopped until it is read what of it is stored: it was not heard whether the last commit took effect"


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
        self._standings = Standings(store, around.source, self.lanes, bounded=around.policy.bounded)
        self._first = Start(store, self.ledger, around)
        opening = Opening(self.ledger, around, random)
        self._work = LaneTasks(self.lanes, opening, around.policy, around.delivery.withdraw, self._ended)
        self._store = store
        self._around = around
        self._random = random
        self._changed = changed
        self.orders = Orders(self.lanes, around, self._restart, lambda: self._draining or self.is_stuck())
        self.is_assigned = False
        """Whether it is known what is owned here: not before that was told, and not since it was lost."""
        self._left: tuple[LaneStatus, ...] = ()
        """Lanes that were stopped here and that nobody is known to have begun anew."""
        self._changing = asyncio.Lock()
        self._draining = False
        self._tasks: asyncio.TaskGroup | None = None

    def run_in(self, tasks: asyncio.TaskGroup) -> None:
        """Lanes become tasks of ``tasks``."""
        self._tasks = tasks
        self._work.run_in(tasks)

    async def update(self, listing: tuple[Partition, ...]) -> None:
        """``listing`` is all there is now."""
        async with self._changing:
            self._standings.listing = listing
            await self._arrange()

    async def take(self, slots: Collection[int]) -> None:
        async with self._changing:
            had_begun = self._standings.has_begun
            await self._read(slots)
            if self._standings.has_begun and not had_begun:
                # Whoever begins the mirror writes to many slots at once: some may have been read before that.
                await self._read(slots)
            self._standings.slots |= set(slots)
            self.is_assigned = True
            await self._arrange()
            self._left = ()

    async def give_up(self, slots: Collection[int]) -> None:
        async with self._changing:
            names = self._standings.lanes_in(slots)
            if await self._work.settle(names, self._around.policy.handover_s):
                self._around.delivery.interrupt("slots given up")
            elif names and self.ledger.has_moved():
                await self._store_last()
            self._forget(names, slots)
        if self._around.policy.bounded:
            raise _taken_over()

    async def lose(self, slots: Collection[int]) -> None:
        # Not behind whoever is changing something: what is lost may belong to others already.
        names = self._standings.lanes_in(slots)
        if names:
            self._around.delivery.withdraw(names)
            self._around.delivery.interrupt("slots lost")
        await self._work.stop(names)
        async with self._changing:
            names = self._standings.lanes_in(slots)
            await self._work.stop(names)
            # Until it is told what it owns now, nobody is known to have come.
            self.is_assigned = False
            self._leave(names, _LOST)
            self._forget(names, slots)

    async def retake(self) -> None:
        """Stop all lanes, and start them anew from what is stored."""
        async with self._changing:
            names = list(self.lanes)
            await self._work.stop(names)
            slots = set(self._standings.slots)
            self._leave(names, _READ_ANEW)
            self._forget(names, slots)
            await self._read(slots)
            self._standings.slots |= slots
            await self._arrange()
            self._left = ()

    async def follow(self) -> None:
        """Look up now and then what other workers have stored, while something here waits for it, until cancelled."""
        while True:
            await self._around.clock.sleep(self._around.policy.follow_s)
            if self._standings.listing is None:
                continue
            if self._standings.unlisted():
                await self._list_anew()
            if self._standings.has_begun and not self._waiting_for_others() and not self._due():
                continue
            try:
                # Not behind the lock: this may wait for a transaction of somebody, whom it may keep waiting.
                seen = await self._store.load()
            except CheckpointError as error:
                self._complain(error)
            else:
                async with self._changing:
                    await self._learn(seen)

    async def complete(self) -> None:
        """Return once nothing is left of what has a bound, by a listing of that moment."""
        # A partition that has just finished may have children that are not listed yet.
        while self._has_more() or not await self._list_anew() or self._has_more():
            await self._around.clock.sleep(self._around.policy.follow_s)

    async def drain(self) -> None:
        """Stop reading, and settle what is on its way within the policy's time."""
        self._draining = True
        late = await self._work.settle(list(self.lanes), self._around.policy.drain_s)
        if late:
            log.warning("drain took too long, what is not settled will be read again", lanes=late)

    def statuses(self) -> tuple[LaneStatus, ...]:
        """This moment of each lane, by partition id; of one that was stopped, as it was left."""
        now_s, now_ms = self._around.clock.monotonic(), self._around.clock.now_ms()
        told = {status.partition: status for status in by_now(self._left, now_ms)}
        told |= {name: lane.status(now_s, now_ms) for name, lane in self.lanes.items()}
        return tuple(told[name] for name in sorted(told))

    @property
    def share(self) -> float:
        """How much of what is left to read is this worker's, from 0 to 1."""
        return self._standings.share

    def is_stuck(self) -> bool:
        """Whether no lane can go on, because of those that failed."""
        hopeful = {*self._work.started, *self._waiting_for_others()}
        alive = any(self.lanes[name].state not in ENDED for name in hopeful)
        return not alive and any(lane.state is LaneState.FAILED for lane in self.lanes.values())

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
                self._standings.replace(slots, found)
                return

    async def _learn(self, seen: Mapping[str, Checkpoint]) -> None:
        if seen and not self._standings.has_begun:
            await self._read(self._standings.slots)
        self._standings.hear_of_others(seen)
        await self._arrange()

    async def _arrange(self) -> None:
        """Make a lane of every partition here, and start those whose turn it is."""
        standings = self._standings
        if standings.listing is None:
            return
        if 0 in standings.slots and not standings.has_begun:
            await self._begin(standings.listing)
        if standings.has_begun:
            self._make()
            self._check_alone()
            self._start()
        self.is_arranged = self.is_assigned and (standings.has_begun or not standings.listing or not standings.slots)
        self._changed()

    async def _begin(self, listing: tuple[Partition, ...]) -> None:
        """Fix where a new mirror starts. One worker does so for all, the owner of the first slot."""
        try:
            # Whoever hands slots over waits for this.
            async with asyncio.timeout(self._around.policy.begin_s):
                self._standings.checkpoints.update(await self._first.begin(listing, anew=self._standings.had_begun))
        except CheckpointError as error:
            self._complain(error)
        except (TransientError, TimeoutError) as error:
            log.warning("the mirror's start is not saved, trying again", error=str(error) or "no answer in time")

    async def _list_anew(self) -> bool:
        """Learn whether partitions that are not listed are new or have expired; whether that could be learned."""
        unlisted = self._standings.unlisted()
        try:
            async with aclosing(self._around.source.partitions()) as listings:
                fresh = await anext(listings)
        except ConnectorError as error:
            log.warning("partitions not listed, trying again", error=str(error))
            return False
        async with self._changing:
            self._standings.expired |= unlisted - {partition.id for partition in fresh}
            self._standings.listing = fresh
            await self._arrange()
        return True

    def _has_more(self) -> bool:
        return not (self.is_arranged and self._standings.has_begun) or bool(self._standings.left())

    def _check_alone(self) -> None:
        """Raises ``StoreBusyError`` where another worker has a part of what has an end."""
        is_bounded = self._around.policy.bounded and self.is_assigned
        if is_bounded and any(not self._standings.owns(each.id) for each in self._standings.left()):
            raise _taken_over()

    def _make(self) -> None:
        """Make a lane of every partition here that needs one."""
        stored: dict[str, Place] = {}
        for partition in self._standings.without_lane():
            checkpoint = self._standings.checkpoints.get(partition.id)
            progress = Progress(Place())
            if checkpoint is not None:
                place = Place(checkpoint.position, checkpoint.watermark_ms)
                progress = Progress(
                    place, checkpoint, gaps=checkpoint.gaps, bound=checkpoint.bound, paused_ms=checkpoint.paused_ms
                )
            progress.rate.sample(self._around.clock.monotonic(), progress.records_written)
            gap = self._gap(partition.id)
            self.lanes[partition.id] = Lane(partition, progress, self._around, Backoff(self._random), gap)
            if checkpoint is not None and gap is None:
                stored[partition.id] = progress.place
        # Who stored these may not have lived to show them.
        self._around.source.stored(stored)

    def _gap(self, name: str) -> GapError | None:
        """One that is known before the first read."""
        checkpoint = self._standings.checkpoints.get(name)
        if checkpoint is None:
            return None
        return other_ends(name, checkpoint, self._around.source, self._around.destination)

    def _start(self) -> None:
        """Start the lanes whose turn it is."""
        if self._draining:
            return
        due = self._due()
        for partition in due:
            lane = self.lanes[partition.id]
            if lane.progress.place == Place():
                lane.progress.place = self._standings.beginning(partition)
            if lane.progress.stored is None:
                lane.progress.bound = self._standings.inherited(partition)
            lane.sieve.begin(self._standings.windows(partition))
            lane.resume()
        self._work.start([partition.id for partition in due])

    async def _restart(self, lane: Lane) -> None:
        """Let ``lane`` go on, which had ended, and may have come to its very end meanwhile."""
        async with self._changing:
            if self._draining or self.lanes.get(lane.partition.id) is not lane:
                raise OrderError(f"start {lane.partition.id} again", "it is being given up here", "try again")
            if lane.state is LaneState.FINISHED:
                self._ended(lane)
            else:
                await self._work.restart(lane.partition.id)

    def _ended(self, lane: Lane) -> None:
        """When one is finished, others may start."""
        if lane.state is LaneState.FINISHED and self._tasks is not None:
            self._tasks.create_task(self._go_on(), name=f"after {lane.partition.id}")
        self._changed()

    async def _go_on(self) -> None:
        async with self._changing:
            await self._arrange()

    def _due(self) -> list[Partition]:
        """Those whose turn it is."""
        return startable(self._waiting(), self._standings.unfinished())

    def _waiting(self) -> list[Partition]:
        return [lane.partition for name, lane in self.lanes.items() if name not in self._work.started]

    def _waiting_for_others(self) -> set[str]:
        """The lanes here that wait for a parent elsewhere."""
        return self._standings.held_up_elsewhere(self._waiting())

    async def _store_last(self) -> None:
        """Store what is settled, in the time that a hand-over has for it."""
        try:
            async with asyncio.timeout(self._around.policy.store_s):
                await self._around.delivery.commit(self.ledger)
        except TimeoutError:
            self._around.delivery.interrupt("the last checkpoints were not stored in time")

    def _leave(self, names: Collection[str], cause: str) -> None:
        """Show the lanes of ``names``, stopped because of ``cause``, as they stand until it is known who goes on."""
        stopped = left_behind((each for each in self.statuses() if each.partition in names), cause)
        self._left = (*(each for each in self._left if each.partition not in names), *stopped)

    def _forget(self, names: Collection[str], slots: Collection[int]) -> None:
        for name in names:
            stored = self.lanes.pop(name).progress.stored
            self._work.forget(name)
            if stored is not None:
                self._standings.checkpoints[name] = stored
        self._standings.slots -= set(slots)
        self._changed()

    def _complain(self, error: CheckpointError) -> None:
        if not error.retriable:
            raise error
        log.warning("checkpoints not read, trying again", error=str(error))


def _taken_over() -> StoreBusyError:
    return StoreBusyError(
        "copy a range",
        "another worker of this mirror has come and taken partitions over",
        "stop it and begin again: what is copied stays so; or let it mirror on, past the end",
    )
