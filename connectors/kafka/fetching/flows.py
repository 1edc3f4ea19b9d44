"""Which partitions are fetched, so that what waits for the lanes is bounded and none holds up another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from confluent_kafka import KafkaError

from connectors.kafka.fetching.chunk import Chunk
from connectors.kafka.fetching.inbox import Inbox


class Assignment(Protocol):
    """What the consumer fetches."""

    def assign(self, starts: Mapping[int, int]) -> None:
        """Fetch these partitions too, from these offsets on. What was fetched of them before never comes."""

    def unassign(self, partitions: Sequence[int]) -> None:
        """Fetch these no more."""


@dataclass(slots=True)
class _Flow:
    inbox: Inbox
    following: int
    """The offset at which fetching goes on."""
    held: int = 0
    """Bytes that wait in the inbox."""
    rests: bool = False


class Flows:
    """The partitions that lanes read, from the fetching thread's point of view. Used by that thread alone.

    Together they hold ``limit`` bytes and what one fetch brings on top. A lane that does not read on rests when it
    holds a quarter of that. When all is full nothing is fetched; if that lasts, what waits for lanes which do not read
    on is dropped, to be fetched again when they do. Lanes that wait for the budget keep theirs: any other lane would
    have to wait behind them.
    """

    def __init__(self, assignment: Assignment, limit: int) -> None:
        self._assignment = assignment
        self._limit = limit
        self._share = limit // 4
        self._flows: dict[int, _Flow] = {}
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes that wait for the lanes."""
        return self._held

    @property
    def is_full(self) -> bool:
        """Whether more must not be fetched before ``relieve`` or until a lane reads on."""
        return self._held >= self._limit and any(not flow.rests for flow in self._flows.values())

    def begin(self, inbox: Inbox, following: int) -> None:
        """A lane begins to read. Whoever read the partition before does no more."""
        known = self._flows.get(inbox.partition)
        if known is not None:
            self.end(known.inbox)
        self._flows[inbox.partition] = _Flow(inbox, following)
        self._assignment.assign({inbox.partition: following})

    def end(self, inbox: Inbox) -> None:
        """A lane has stopped reading."""
        flow = self._flow(inbox)
        if flow is None:
            return
        del self._flows[inbox.partition]
        self._held -= flow.held
        if not flow.rests:
            self._assignment.unassign([inbox.partition])
        self._wake()

    def following(self, partition: int) -> int | None:
        """The offset at which fetching goes on; None where nobody reads the partition."""
        flow = self._flows.get(partition)
        return None if flow is None or flow.rests else flow.following

    def put(self, partition: int, chunk: Chunk) -> None:
        """``chunk`` was fetched, from where ``following`` said."""
        flow = self._flows[partition]
        flow.following = chunk.following
        flow.held += chunk.memory
        self._held += chunk.memory
        flow.inbox.put(chunk)
        if flow.held >= self._share and not flow.inbox.is_asking:
            self._rest([flow])

    def fail(self, partition: int, fault: KafkaError) -> None:
        """Nothing can be fetched of ``partition`` any more."""
        flow = self._flows.get(partition)
        if flow is not None:
            self.end(flow.inbox)
            flow.inbox.end(fault)

    def fail_all(self, fault: KafkaError) -> None:
        """Nothing can be fetched, and the assignment is not known."""
        for flow in self._flows.values():
            flow.inbox.end(fault)
        self._flows.clear()
        self._held = 0

    def taken(self, inbox: Inbox, memory: int) -> None:
        """The lane has read so many bytes."""
        flow = self._flow(inbox)
        if flow is not None:
            flow.held -= memory
            self._held -= memory
            self._wake(flow)

    def asked(self, inbox: Inbox) -> None:
        """The lane has read all there is and waits for more."""
        flow = self._flow(inbox)
        if flow is not None and flow.rests:
            if self._held >= self._limit:
                self.relieve()
            self._wake(flow)

    def relieve(self) -> None:
        """Make room while nobody reads: by what lanes hold that do not wait for it, but first all but their oldest.

        Where the others are full all the same, nothing is fetched until they read on.
        """
        idle = [flow for flow in self._flows.values() if flow.held and not flow.inbox.is_asking]
        for kept in (1, 0):
            for flow in sorted(idle, key=lambda each: -each.held):
                if self._held > self._limit // 2:
                    self._cut(flow, kept)
        if self._held >= self._limit:
            self._rest([flow for flow in self._flows.values() if not flow.rests])

    def _flow(self, inbox: Inbox) -> _Flow | None:
        flow = self._flows.get(inbox.partition)
        return flow if flow is not None and flow.inbox is inbox else None

    def _cut(self, flow: _Flow, kept: int) -> None:
        """Drop all of ``flow`` but the ``kept`` oldest chunks."""
        if not flow.rests:
            self._rest([flow])
        while len(flow.inbox) > kept and (chunk := flow.inbox.take_back()) is not None:
            flow.following = chunk.start
            flow.held -= chunk.memory
            self._held -= chunk.memory

    def _rest(self, flows: list[_Flow]) -> None:
        if not flows:
            return
        for flow in flows:
            flow.rests = True
        self._assignment.unassign([flow.inbox.partition for flow in flows])

    def _wake(self, reading: _Flow | None = None) -> None:
        """Fetch again for the lane that is ``reading`` on, and for those that wait with nothing left."""
        if self._held >= self._limit:
            return
        rested = [flow for flow in self._flows.values() if flow.rests]
        starts = [
            flow
            for flow in rested
            if (flow is reading and flow.held <= self._share // 2) or (not flow.held and flow.inbox.is_asking)
        ]
        for flow in starts:
            flow.rests = False
        if starts:
            self._assignment.assign({flow.inbox.partition: flow.following for flow in starts})
