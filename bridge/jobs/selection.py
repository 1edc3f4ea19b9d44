"""A source that holds a range and nothing else: some partitions, each from a place to its end."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from bridge.engine.bounded import BoundedSource
from bridge.errors import UsageError
from bridge.jobs.span import Kind, Point, ends_at, positions_in
from connectors.base import Batch, Budget, End, Partition, Place, Position, Source
from connectors.wrapped import WrappedSource


class Selection(WrappedSource):
    """The range of ``inner`` from ``since`` until ``until``, both ends included.

    It is fixed by ``fix``: partitions that appear later are not of it, nor is what arrives later. The read of a
    partition ends, as that of a finished one does, where the range ends. Nothing is told of what is stored.
    """

    def __init__(self, inner: Source, since: Point, until: Point) -> None:
        """Where ``since`` is no position, ``inner`` is made so that it starts there."""
        super().__init__(inner)
        self.partitions_in_range: tuple[Partition, ...] = ()
        """Known once it is fixed."""
        self._since = since
        self._until = until
        self._bounded = BoundedSource(inner)
        self._starts: Mapping[str, Place] = {}

    async def fix(self) -> None:
        """Learn what the range is, from the source as it is now. Call it once entered, before anything is read.

        Raises ``UsageError`` where there is no such range, and what opening raises.
        """
        async with aclosing(self.inner.partitions()) as listings:
            listing = await anext(listings)
        chosen = self._chosen(listing)
        starts = await self.inner.start(chosen)
        named = self._named(self._since, chosen)
        self._starts = {**starts, **{name: self.just_before(position) for name, position in named.items()}}
        ends = await self.inner.ends(chosen, self._until.time_ms)
        self._bounded.bounds = {**ends, **await self._last(chosen, named)}
        self.partitions_in_range = chosen

    @property
    def starts(self) -> Mapping[Partition, Place]:
        """Where each partition of the range is read from."""
        return {partition: self._starts[partition.id] for partition in self.partitions_in_range}

    def stored(self, places: Mapping[str, Place]) -> None:
        """Those places are not the mirror's."""

    async def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        yield self.partitions_in_range

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        return {partition.id: self._starts[partition.id] for partition in partitions}

    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        return self._bounded.read(partition, after, budget)

    def _chosen(self, listing: tuple[Partition, ...]) -> tuple[Partition, ...]:
        """Those of ``listing`` that the range names, all where it names none; parents that are not there left out."""
        there = {partition.id for partition in listing}
        wanted = frozenset(there)
        for option, point in (("--from", self._since), ("--until", self._until)):
            if point.kind is Kind.POSITIONS:
                wanted &= positions_in(option, point, there).keys()
        if not wanted:
            raise UsageError(f"--until {self._until.text}", "names no partition that --from names")
        return tuple(
            Partition(each.id, tuple(parent for parent in each.parents if parent in wanted))
            for each in listing
            if each.id in wanted
        )

    def _named(self, point: Point, chosen: tuple[Partition, ...]) -> Mapping[str, Position]:
        """The positions that ``point`` names, of those in ``chosen``."""
        names = {partition.id for partition in chosen}
        if set(point.positions) == {""}:
            return dict.fromkeys(names, point.positions[""])
        return {name: position for name, position in point.positions.items() if name in names}

    async def _last(self, chosen: tuple[Partition, ...], first: Mapping[str, Position]) -> Mapping[str, End]:
        """The ends that are positions. Raises ``UsageError`` for one before its start."""
        last = self._named(self._until, chosen)
        for name in last.keys() & first.keys():
            if self.rank(last[name]) < self.rank(first[name]):
                raise UsageError(f"--until {self._until.text}", f"ends before --from {self._since.text} begins")
        return await ends_at(self.inner, last)
