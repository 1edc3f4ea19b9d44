"""The Kinesis source keeps the contract of sources, against a real server."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from connectors.base import Clock, Observer
from connectors.kinesis.fan_out import FanOutSource
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.settings import FanOutSettings, KinesisSourceSettings
from tests.contracts.source import SplittingSourceContract, SplittingWorld
from tests.support import shards
from tests.support.factories import StreamFactory
from tests.support.kinesis_api import REGION, kinesis_session


class KinesisWorld(SplittingWorld):
    def __init__(self, url: str, client: Any, stream: str, source: KinesisSource) -> None:
        self._url = url
        self._client = client
        self._stream = stream
        self.source = source

    async def put(self, key: bytes, value: bytes) -> None:
        await self._client.put_record(StreamName=self._stream, PartitionKey=key.decode(), Data=value)

    async def split(self, partition: str) -> None:
        await asyncio.to_thread(self._split, partition)

    def _split(self, partition: str) -> None:
        (shard,) = (each for each in shards.open_shards(self._url, self._stream) if each.id == partition)
        shards.split(self._url, self._stream, shard)


class TestKinesisSource(SplittingSourceContract):
    @pytest.fixture
    async def world(self, kinesis: str, stream: StreamFactory) -> AsyncIterator[SplittingWorld]:
        name = stream(shards=2)
        # Without AWS's limits, which this server does not have, the suite need not wait for its turn.
        settings = KinesisSourceSettings(name, REGION, kinesis, poll_interval_s=0.05, read_share=20)
        async with (
            kinesis_session(kinesis) as client,
            KinesisSource(settings, Clock(), Random(1), Observer()) as source,
        ):
            yield KinesisWorld(kinesis, client, name, source)


class TestFanOutSource(SplittingSourceContract):
    @pytest.fixture
    async def world(self, kinesis: str, stream: StreamFactory) -> AsyncIterator[SplittingWorld]:
        name = stream(shards=2)
        settings = KinesisSourceSettings(name, REGION, kinesis, poll_interval_s=0.05, read_share=20)
        async with (
            kinesis_session(kinesis) as client,
            FanOutSource(settings, FanOutSettings("kmbridge-test"), Clock(), Random(1), Observer()) as source,
        ):
            yield KinesisWorld(kinesis, client, name, source)
