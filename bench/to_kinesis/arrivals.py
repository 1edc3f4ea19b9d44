"""What arrived in a stream, read from its beginning, whatever codec wrote it."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.arrivals import WrongArrivalsError
from bench.bare import BareCaller, bare_caller
from connectors.kinesis.answers import GET_RECORDS, Record
from tests.support.records import Stamp
from tests.support.stream_decoder import decode


@dataclass(frozen=True, slots=True)
class Taken:
    """What a shard took in a second of the server's clock."""

    size: int = 0
    """Bytes of data."""
    entries: int = 0
    """Kinesis records."""
    records: int = 0

    def __add__(self, more: "Taken") -> "Taken":
        return Taken(self.size + more.size, self.entries + more.entries, self.records + more.records)


@dataclass(slots=True)
class StreamArrivals:
    """Every record of a stream, by its key."""

    numbers: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Of each key the numbers of its records within the key, in the order of the stream."""
    taken: dict[tuple[int, str], Taken] = field(default_factory=lambda: defaultdict(Taken))
    """By second and shard."""

    @property
    def records(self) -> int:
        return sum(map(len, self.numbers.values()))

    @property
    def swaps(self) -> int:
        """Records that stand behind a later one of their key."""
        return sum(map(_swapped, self.numbers.values()))

    def see(self, shard: str, record: Record) -> None:
        decoded = decode(record.partition_key or "", record.data)
        for each in decoded:
            self.numbers[each.key or b""].append(Stamp.of(each.value or b"").number)
        self.taken[int(record.approximate_arrival_timestamp), shard] += Taken(len(record.data), 1, len(decoded))

    def judge(self, counts: Mapping[bytes, int]) -> None:
        """Raise where not every record of ``counts`` arrived exactly once, in whatever order."""
        wrong = [
            key for key in {*counts, *self.numbers} if sorted(self.numbers[key]) != list(range(counts.get(key, 0)))
        ]
        if wrong:
            raise WrongArrivalsError(
                f"{self.records} of {sum(counts.values())} records; "
                + "; ".join(f"{key.decode()}: {len(self.numbers[key])} of {counts.get(key, 0)}" for key in wrong[:5])
            )

    def judge_order(self) -> None:
        """Raise where a record stands behind a later one of its key."""
        if self.swaps:
            raise WrongArrivalsError(f"{self.swaps} records stand behind a later one of their key")


async def read_stream(kinesis: str, stream: str) -> StreamArrivals:
    """All that the stream holds now."""
    arrivals = StreamArrivals()
    async with bare_caller(kinesis) as server:
        shards = await server.shards(stream)
        await asyncio.gather(*(_read(server, stream, shard, arrivals) for shard in shards))
    return arrivals


async def _read(server: BareCaller, stream: str, shard: str, arrivals: StreamArrivals) -> None:
    iterator: str | None = await server.iterator(stream, shard, "TRIM_HORIZON")
    while iterator is not None:
        answer = GET_RECORDS.decode(await server.ask("GetRecords", {"ShardIterator": iterator}))
        if not answer.records:
            return
        for record in answer.records:
            arrivals.see(shard, record)
        iterator = answer.next_shard_iterator


def _swapped(numbers: list[int]) -> int:
    latest, swapped = -1, 0
    for number in numbers:
        swapped += number < latest
        latest = max(latest, number)
    return swapped
