"""A source that holds a range and nothing else: some partitions, each from a place to its end."""

from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing

from bridge.engine.bounded import BoundedSource
from bridge.jobs.located import located
from bridge.jobs.progress import Stretch
from bridge.jobs.span import Point
from connectors.base import Batch, Budget, Partition, Place, Source
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
        found = await located(self.inner, listing, self._since, self._until)
        self._starts, self._bounded.bounds = found.starts, dict(found.ends)
        self.partitions_in_range = tuple(_among(found.partitions))

    @property
    def starts(self) -> Mapping[Partition, Place]:
        """Where each partition of the range is read from."""
        return {partition: self._starts[partition.id] for partition in self.partitions_in_range}

    @property
    def stretches(self) -> Mapping[str, Stretch]:
        """What of each partition of the range is to be read; empty before it is fixed."""
        ends = self._bounded.bounds
        return {each.id: Stretch(self._starts[each.id], ends[each.id]) for each in self.partitions_in_range}

    def stored(self, places: Mapping[str, Place]) -> None:
        """Those places are not the mirror's."""

    async def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        yield self.partitions_in_range

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        return {partition.id: self._starts[partition.id] for partition in partitions}

    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        return self._bounded.read(partition, after, budget)


def _among(partitions: Collection[Partition]) -> Iterator[Partition]:
    """Parents that are not of ``partitions`` hold none of these up."""
    names = {partition.id for partition in partitions}
    return (Partition(each.id, tuple(parent for parent in each.parents if parent in names)) for each in partitions)
