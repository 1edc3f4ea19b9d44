"""Writing through a sink in tests, and looking at what came of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from connectors.base import Batch, Clock, Observer, Place, Record
from connectors.codecs.catalogue import CodecName, codec_named
from connectors.codecs.decoding import Decoder
from connectors.kinesis import answers
from connectors.kinesis.reading.columns import columns
from connectors.kinesis.settings import KinesisSinkSettings
from connectors.kinesis.sink import KinesisSink
from tests.support.kinesis_api import REGION, kinesis_session


async def nobody_asks() -> None:
    """For sinks whose process is never away."""
    raise AssertionError("the process was taken to have been away")


@asynccontextmanager
async def sink_to(
    url: str, stream: str, codec: CodecName = "kpl", observer: Observer | None = None, **settings: Any
) -> AsyncIterator[KinesisSink]:
    """A sink that writes to ``stream``, entered."""
    told = KinesisSinkSettings(stream, codec_named(codec), REGION, url, **{"away_s": 60.0} | settings)
    async with KinesisSink(told, Clock(), Random(1), observer or Observer(), nobody_asks) as sink:
        yield sink


async def everything(url: str, stream: str) -> list[Record]:
    """All records of a stream, those of a shard in order, parents before children."""
    async with kinesis_session(url) as client:
        listed = (await client.list_shards(StreamName=stream))["Shards"]
        return [record for shard in listed for record in await _shard_records(client, stream, shard["ShardId"])]


async def _shard_records(client: Any, stream: str, shard: str) -> list[Record]:
    answer = await client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    iterator: str | None = answer["ShardIterator"]
    found: list[Record] = []
    while iterator is not None:
        answer = await client.get_records(ShardIterator=iterator)
        if not answer["Records"]:
            break
        found += decoded(
            shard, [(each["SequenceNumber"], each["PartitionKey"], each["Data"]) for each in answer["Records"]]
        )
        iterator = answer.get("NextShardIterator")
    return found


def decoded(shard: str, entries: Sequence[tuple[str, str, bytes]]) -> list[Record]:
    """The records in ``entries``: sequence number, partition key and data of Kinesis records."""
    read = [answers.Record(sequence, data, partition_key=key) for sequence, key, data in entries]
    found = columns(read, Decoder(), None, None)
    batch = Batch(
        shard, Place(), found.positions, found.keys, found.values, found.timestamps_ms, found.headers, size=found.size
    )
    return list(batch.records())


def origins(source: str, partition: str, positions: Sequence[str], destination: str) -> list[bytes]:
    return [f"{source}/{partition}/{position}>{destination}".encode() for position in positions]
