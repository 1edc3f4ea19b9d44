"""A consumer group as workers meet it: cooperative, late with its news, and of another mind than who was away."""

import asyncio
from collections.abc import Collection, Iterable
from contextvars import Context
from dataclasses import dataclass
from random import Random
from types import TracebackType

from bridge.coordination.base import Coordinator, Owner
from bridge.coordination.kafka_group import _GIVE_UP_S
from bridge.coordination.share import Change, ChangeKind, Share
from connectors.base import Clock, TransientError
from connectors.memory.cluster import Membership

SESSION_S = 6.0
_HEARTBEAT_S = 0.5
_LATENCY_S = 0.3
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class _News:
    """What a member is told: None for the generation when it is a member no more."""

    generation: int | None
    assigned: frozenset[int] = frozenset()
    revoked: frozenset[int] = frozenset()


class Group:
    """The coordinator's side: who is a member, in which generation, and whose each slot is."""

    def __init__(self, slots: int, random: Random) -> None:
        self.generation = 0
        self.owners: dict[int, Member] = {}
        self.overruled = 0
        """Members who did not hand over in time."""
        self._slots = slots
        self._random = random
        self._members: list[Member] = []
        self._leaving: set[int] = set()
        self._expiries: dict[Member, asyncio.TimerHandle] = {}

    def is_current(self, member: "Member", generation: int) -> bool:
        return member in self._members and generation == self.generation

    def knows(self, member: "Member") -> bool:
        return member in self._members

    def join(self, member: "Member") -> None:
        self._members.append(member)
        self._rebalance()

    def leave(self, member: "Member") -> None:
        """It is gone, and what it owned is free."""
        if member in self._members:
            self._members.remove(member)
            self._release([slot for slot, owner in self.owners.items() if owner is member])
            self._rebalance()

    def free(self, member: "Member", slots: Collection[int]) -> None:
        """It has handed ``slots`` over."""
        self._release([slot for slot in slots if self.owners.get(slot) is member])
        self._rebalance()

    def shuffle(self) -> None:
        """Take one slot from whoever has it, for no reason that a worker could know."""
        owned = sorted(self.owners.keys() - self._leaving)
        if owned:
            self._rebalance({self._random.choice(owned)})

    def silent(self, member: "Member") -> None:
        """No heartbeat comes any more: its session ends in some seconds."""
        delay_s = SESSION_S - self._random.uniform(0.0, _HEARTBEAT_S)
        loop = asyncio.get_running_loop()
        self._expiries[member] = loop.call_later(delay_s, self._expel, member, context=Context())

    def heard(self, member: "Member") -> None:
        """Heartbeats come again."""
        if expiry := self._expiries.pop(member, None):
            expiry.cancel()

    def _expel(self, member: "Member") -> None:
        if member in self._members:
            member.hear(_News(None))
            self.leave(member)

    def _release(self, slots: Iterable[int]) -> None:
        for slot in slots:
            self._leaving.discard(slot)
            del self.owners[slot]

    def _rebalance(self, taken: Collection[int] = ()) -> None:
        """Begin a generation: free slots go to who has least, and who has too much is asked for some."""
        self.generation += 1
        if not self._members:
            return
        assigned: dict[Member, set[int]] = {member: set() for member in self._members}
        revoked: dict[Member, set[int]] = {member: set() for member in self._members}
        for slot in range(self._slots):
            if slot not in self.owners:
                self.owners[slot] = least = min(self._members, key=self._load)
                assigned[least].add(slot)
        for slot in taken:
            revoked[self.owners[slot]].add(slot)
            self._leaving.add(slot)
        while self._load(most := max(self._members, key=self._load)) - min(map(self._load, self._members)) > 1:
            slot = max(slot for slot, owner in self.owners.items() if owner is most and slot not in self._leaving)
            if slot in assigned[most]:
                break
            revoked[most].add(slot)
            self._leaving.add(slot)
        for member in self._members:
            member.hear(_News(self.generation, frozenset(assigned[member]), frozenset(revoked[member])))

    def _load(self, member: "Member") -> int:
        return sum(owner is member and slot not in self._leaving for slot, owner in self.owners.items())


class Member(Coordinator, Membership):
    """A worker's side, as ``KafkaGroup`` is with a thread: one piece of news after the other, each some time old."""

    def __init__(self, group: Group, clock: Clock, random: Random) -> None:
        self._group = group
        self._clock = clock
        self._random = random
        self._known: int | None = None
        self._owned: frozenset[int] = frozenset()
        self._news: asyncio.Queue[_News] = asyncio.Queue()
        self._changes: asyncio.Queue[Change] = asyncio.Queue()
        self._polling: asyncio.Task[None] | None = None
        self._is_unheard = False
        self._is_dead = False

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait([self._polling])
        if not self._is_dead:
            self._group.heard(self)
            self._group.leave(self)

    def generation(self) -> int:
        if self._known is None:
            raise TransientError("work in the group", "this worker is no member at the moment")
        return self._known

    def is_current(self, generation: int) -> bool:
        return self._group.is_current(self, generation)

    def owns(self, slot: int) -> bool:
        """Whether the group gave ``slot`` to this member, and has not got it back."""
        return self._group.owners.get(slot) is self

    async def confirm(self) -> None:
        await self._clock.sleep(self._random.uniform(0.0, _LATENCY_S))
        while not self._group.knows(self):
            await self._clock.sleep(_POLL_S)

    async def run(self, owner: Owner) -> None:
        self._polling = asyncio.create_task(self._poll(), name="group")
        share = Share(owner)
        try:
            await share.follow(self._changes, lambda *_: None)
        finally:
            self._is_unheard = True
            await share.close()

    def hear(self, news: _News) -> None:
        self._news.put_nowait(news)

    def die(self) -> None:
        """Killed: nobody says goodbye."""
        self._is_dead = True
        self._group.silent(self)

    def freeze(self) -> None:
        self._group.silent(self)

    def thaw(self) -> None:
        self._group.heard(self)

    async def _poll(self) -> None:
        await self._clock.sleep(self._random.uniform(0.0, _LATENCY_S))
        self._group.join(self)
        while True:
            news = await self._news.get()
            await self._clock.sleep(self._random.uniform(0.0, _LATENCY_S))
            await (self._be_out() if news.generation is None else self._be_in(news))

    async def _be_in(self, news: _News) -> None:
        if self._random.random() < 0.5:
            # What a transaction begins with is asked for between polls: while slots are revoked it may be old.
            self._known = news.generation
        if news.revoked:
            await self._wait_for(Change(ChangeKind.REVOKED, news.revoked))
        self._known = news.generation
        self._owned = self._owned - news.revoked | news.assigned
        self._changes.put_nowait(Change(ChangeKind.ASSIGNED, news.assigned))
        if news.revoked:
            self._group.free(self, news.revoked)

    async def _be_out(self) -> None:
        self._known = None
        await self._wait_for(Change(ChangeKind.LOST, self._owned))
        self._owned = frozenset()
        self._group.join(self)

    async def _wait_for(self, change: Change) -> None:
        """Until the owner has acted on it, or nobody does any more; one that gives up too late is overruled."""
        if not self._is_unheard:
            self._changes.put_nowait(change)
        deadline = self._clock.monotonic() + _GIVE_UP_S
        while not (self._is_unheard or change.handled.done()):
            if self._clock.monotonic() > deadline and change.kind is ChangeKind.REVOKED:
                self._group.overruled += 1
                return
            await self._clock.sleep(_POLL_S)
