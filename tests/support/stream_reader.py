"""Reading back what is in a stream, through AWS's own client and a decoder that is not the product's."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.support.kinesis_api import kinesis_session
from tests.support.records import Stamp
from tests.support.stream_decoder import Headers, decode
from tests.support.waiting import DeadlineError

_INTERVAL_S = 0.25
"""Between two rounds: the shards' other readers are to have their turns too."""
_AT_TIP = 2
"""So many rounds that find nothing mean that there is nothing."""
_THROTTLED = "ProvisionedThroughputExceededException"


@dataclass(frozen=True, slots=True)
class Entry:
    """A Kinesis record as it stands in its shard."""

    shard: str
    sequence: int
    key: str
    data: bytes

    @property
    def size(self) -> int:
        """Bytes that count towards the shard's limit."""
        return len(self.key.encode()) + len(self.data)

    @property
    def records(self) -> list["StreamRecord"]:
        """The records in it."""
        return [
            StreamRecord(self.shard, self.sequence, sub, each.key, each.value, each.timestamp_ms, each.headers)
            for sub, each in enumerate(decode(self.key, self.data))
        ]


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record as consumers of the stream that know the codec see it."""

    shard: str
    sequence: int
    sub: int
    """Its number within the Kinesis record."""
    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None
    headers: Headers


class StreamTail:
    """Reads a stream from its beginning, all shards, one call a shard and round."""

    def __init__(self, client: Any, stream: str) -> None:
        self._client = client
        self._stream = stream
        self._iterators: dict[str, str | None] = {}

    async def round(self) -> list[Entry] | None:
        """What one call a shard gives; None where a shard refused it for its limits, and gave nothing."""
        await self._find_shards()
        found: list[Entry] = []
        throttled = False
        for shard, iterator in self._iterators.items():
            if iterator is None:
                continue
            try:
                answer = await self._client.get_records(ShardIterator=iterator)
            except ClientError as error:
                if error.response["Error"]["Code"] != _THROTTLED:
                    raise
                throttled = True
                continue
            self._iterators[shard] = answer.get("NextShardIterator")
            found += [
                Entry(shard, int(record["SequenceNumber"]), record["PartitionKey"], record["Data"])
                for record in answer["Records"]
            ]
        return None if throttled and not found else found

    async def _find_shards(self) -> None:
        listed = await self._client.list_shards(StreamName=self._stream)
        for shard in listed["Shards"]:
            name = shard["ShardId"]
            if name not in self._iterators:
                answer = await self._client.get_shard_iterator(
                    StreamName=self._stream, ShardId=name, ShardIteratorType="TRIM_HORIZON"
                )
                self._iterators[name] = answer["ShardIterator"]


async def read_entries(url: str, stream: str) -> list[Entry]:
    """All up to a moment at which there were no more, parents before children, in order within a shard."""
    entries: list[Entry] = []
    empty = 0
    async with kinesis_session(url) as client:
        tail = StreamTail(client, stream)
        while empty < _AT_TIP:
            found = await tail.round()
            if found:
                entries += found
            elif found is not None:
                empty += 1
            if not found:
                await asyncio.sleep(_INTERVAL_S)
    # A shard's number is larger than its parents'.
    return sorted(entries, key=lambda entry: (entry.shard, entry.sequence))


async def read_stream(url: str, stream: str) -> list[StreamRecord]:
    """The records in all entries, in their order."""
    return [record for entry in await read_entries(url, stream) for record in entry.records]


async def until_arrived(url: str, stream: str, count: int, timeout_s: float) -> None:
    """Wait until ``count`` different generated records are in the stream, however often each."""
    ids: set[int] = set()
    try:
        async with asyncio.timeout(timeout_s), kinesis_session(url) as client:
            tail = StreamTail(client, stream)
            while len(ids) < count:
                entries = await tail.round() or ()
                ids.update(Stamp.of(record.value or b"").id for entry in entries for record in entry.records)
                await asyncio.sleep(_INTERVAL_S)
    except TimeoutError:
        raise DeadlineError(f"{count} records in {stream}: {len(ids)} after {timeout_s:g} s") from None


def ids_by_key(records: Iterable[StreamRecord]) -> dict[bytes, list[int]]:
    """Each key's ids of generated records, in the order of the stream."""
    ids: dict[bytes, list[int]] = {}
    for record in records:
        if record.key is None or record.value is None:
            raise ValueError(f"not a generated record: {record}")
        ids.setdefault(record.key, []).append(Stamp.of(record.value).id)
    return ids
