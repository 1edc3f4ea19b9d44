"""Writing through a sink in tests, and looking at what came of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from connectors.base import Clock, Observer, Place, Record
from connectors.codecs.catalogue import CodecName, codec_named
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.settings import KinesisSinkSettings, KinesisSourceSettings
from connectors.kinesis.sink import KinesisSink
from tests.connectors.kinesis.reading import until_idle
from tests.support.kinesis_api import REGION


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
    told = KinesisSourceSettings(stream, REGION, url, poll_interval_s=0.05, read_share=50)
    async with KinesisSource(told, Clock(), Random(1), Observer()) as source:
        partitions = await anext(source.partitions())
        found = await asyncio.gather(*(until_idle(source, each.id, Place()) for each in partitions))
    return [record for shard in found for batch in shard for record in batch.records()]


def origins(source: str, partition: str, positions: Sequence[str], destination: str) -> list[bytes]:
    return [f"{source}/{partition}/{position}>{destination}".encode() for position in positions]
