"""The Kinesis sink keeps the contract of sinks, against a real server."""

from collections.abc import AsyncIterator, Sequence

import pytest

from connectors.base import Record
from connectors.codecs.catalogue import CodecName
from connectors.kinesis.sink import KinesisSink
from tests.connectors.kinesis.writing import everything, sink_to
from tests.contracts.sink import ReadBackContract, StreamingScopeContract, Target
from tests.support.factories import StreamFactory


class KinesisTarget(Target):
    def __init__(self, url: str, stream: str, sink: KinesisSink) -> None:
        self._url = url
        self._stream = stream
        self.sink = sink

    async def written(self) -> Sequence[Record]:
        return await everything(self._url, self._stream)


class TestKinesisSink(StreamingScopeContract, ReadBackContract):
    @pytest.fixture(params=["kpl", "envelope"])
    async def target(
        self, request: pytest.FixtureRequest, kinesis: str, stream: StreamFactory
    ) -> AsyncIterator[Target]:
        codec: CodecName = request.param
        name = stream(shards=2)
        async with sink_to(kinesis, name, codec) as sink:
            yield KinesisTarget(kinesis, name, sink)
