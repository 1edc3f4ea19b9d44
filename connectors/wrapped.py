"""A source around another one, for those who change one thing of it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from types import TracebackType
from typing import Self

from connectors.base import Batch, Budget, End, Partition, Place, Position, Source


class WrappedSource(Source):
    """Passes everything on to ``inner``, which is entered and left with it."""

    def __init__(self, inner: Source) -> None:
        self.inner = inner

    async def __aenter__(self) -> Self:
        await self.inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.inner.__aexit__(kind, error, trace)

    @property
    def identity(self) -> str:
        return self.inner.identity

    def is_regrown(self, identity: str) -> bool:
        return self.inner.is_regrown(identity)

    @property
    def address(self) -> str:
        return self.inner.address

    @property
    def largest_record(self) -> int | None:
        return self.inner.largest_record

    @property
    def retention_ms(self) -> int | None:
        return self.inner.retention_ms

    @property
    def repeats(self) -> bool:
        return self.inner.repeats

    def stored(self, places: Mapping[str, Place]) -> None:
        self.inner.stored(places)

    def resumed(self, identity: str, place: Place) -> Place:
        return self.inner.resumed(identity, place)

    def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        return self.inner.partitions()

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        return await self.inner.start(partitions)

    def rank(self, position: Position | None) -> tuple[int, ...]:
        return self.inner.rank(position)

    def just_before(self, position: Position) -> Place:
        return self.inner.just_before(position)

    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        return await self.inner.ends(partitions, until_ms)

    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        return self.inner.read(partition, after, budget)
