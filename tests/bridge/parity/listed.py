"""A source that holds what it is given, headers and all."""

from collections.abc import AsyncGenerator, Mapping, Sequence

from connectors.base import Batch, Budget, End, Partition, Place, Position, Record, Source


class ListedSource(Source):
    """Positions are indexes. Every partition is open: whoever reads it stops at an end."""

    def __init__(self, address: str, partitions: Mapping[Partition, Sequence[Record]], chunk: int = 3) -> None:
        self._address = address
        self._records = {partition.id: list(records) for partition, records in partitions.items()}
        self._partitions = tuple(partitions)
        self._chunk = chunk

    def add(self, partition: Partition, records: Sequence[Record]) -> None:
        """From now on it is there."""
        self._records[partition.id] = list(records)
        self._partitions = (*(each for each in self._partitions if each.id != partition.id), partition)

    @property
    def identity(self) -> str:
        return self._address

    @property
    def address(self) -> str:
        return self._address

    async def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        yield self._partitions

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        return {partition.id: Place() for partition in partitions}

    def rank(self, position: Position | None) -> tuple[int, ...]:
        return (-1 if position is None else int(position),)

    def just_before(self, position: Position) -> Place:
        return Place(str(int(position) - 1) if position != "0" else None)

    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        return {each.id: End(position=str(len(self._records[each.id]) - 1)) for each in partitions}

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        following, records = self.rank(after.position)[0] + 1, self._records[partition.id]
        while following < len(records):
            found = records[following : following + self._chunk]
            following += len(found)
            yield Batch(
                partition.id,
                Place(str(following - 1)),
                [str(index) for index in range(following - len(found), following)],
                [record.key for record in found],
                [record.value for record in found],
                [record.timestamp_ms for record in found],
                [record.headers for record in found] if any(record.headers for record in found) else None,
                reservation=await budget.reserve(0),
            )
