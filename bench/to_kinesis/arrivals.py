"""What arrived in a stream, read from its beginning, whatever codec wrote it."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.arrivals import WrongArrivalsError
from bench.bare import BareCaller, bare_caller
from connectors.codecs.decoding import Decoder
from connectors.kinesis.answers import GET_RECORDS, Record
from tests.support.records import Stamp


@dataclass(slots=True)
class StreamArrivals:
    """Every record of a stream, by its key."""

    numbers: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Of each key the numbers of its records within the key, in the order of the stream."""
    _decoder: Decoder = field(default_factory=Decoder)

    @property
    def records(self) -> int:
        return sum(map(len, self.numbers.values()))

    @property
    def swaps(self) -> int:
        """Records that stand behind a later one of their key."""
        return sum(map(_swapped, self.numbers.values()))

    def see(self, record: Record) -> None:
        key = (record.partition_key or "").encode()
        decoded = self._decoder.decode(key, record.data)
        if decoded is None:
            self.numbers[key].append(Stamp.of(record.data).number)
            return
        for own, value in zip(decoded.keys, decoded.values, strict=True):
            self.numbers[own or b""].append(Stamp.of(value or b"").number)

    def judge(self, counts: Mapping[bytes, int]) -> None:
        """Raise where not every record of ``counts`` arrived exactly once, in whatever order."""
        wrong = [key for key in counts | self.numbers if sorted(self.numbers[key]) != list(range(counts.get(key, 0)))]
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
            arrivals.see(record)
        iterator = answer.next_shard_iterator


def _swapped(numbers: list[int]) -> int:
    latest, swapped = -1, 0
    for number in numbers:
        swapped += number < latest
        latest = max(latest, number)
    return swapped
