"""Reads the stream: along, or once at the end."""

from collections.abc import Iterator, Sequence
from typing import Any

from bridge.demo.embedded_kinesis import StreamAddress
from bridge.demo.origin import Identify
from bridge.demo.reader import Reader
from bridge.parity.digest import content
from bridge.parity.run import Run
from connectors.codecs.decoded import Decoded
from connectors.codecs.decoding import Decoder

_A_CALL = 2_000
_PAUSE_S = 0.05


def read_stream(address: StreamAddress) -> Sequence[Run]:
    """All records as they stand, shard by shard. Nobody may be writing any more: a shard ends at its first empty
    answer. Blocks.
    """
    runs: list[Run] = []
    for cursor in _cursors(address):
        while records := cursor.read():
            positions = [record["SequenceNumber"] for record in records]
            keys = [record["PartitionKey"].encode() for record in records]
            values = [record["Data"] for record in records]
            runs.append(Run(cursor.shard, cursor.shard, positions, positions, keys, values))
    return runs


class StreamReader(Reader):
    """Reads the records that codecs have put into the stream's."""

    def __init__(self, address: StreamAddress, identify: Identify) -> None:
        super().__init__()
        self._address = address
        self._identify = identify
        self._decoder = Decoder()

    def _read(self) -> None:
        cursors = list(_cursors(self._address))
        while not self._stop.is_set():
            # Asked before reading: what is there by then is all there will be.
            is_last = self._last_call.is_set()
            count = sum(self._read_on(cursor) for cursor in cursors)
            if is_last and not count:
                return
            if not count:
                self._stop.wait(_PAUSE_S)

    def _read_on(self, cursor: "_Cursor") -> int:
        records = cursor.read()
        for record in records:
            key, data = record["PartitionKey"].encode(), record["Data"]
            decoded = self._decoder.decode(key, data) or Decoded([key], [data], [None], [()], len(data))
            for run in self._runs_of(cursor.shard, record["SequenceNumber"], decoded):
                self._take(run)
        return len(records)

    def _runs_of(self, shard: str, number: str, decoded: Decoded) -> Iterator[Run]:
        for key, value, headers in zip(decoded.keys, decoded.values, decoded.headers, strict=True):
            origin, position = self._identify(shard, number, headers)
            yield Run(origin, shard, [position], [number], [key], [value], [content(headers)])


class _Cursor:
    """One shard, read from its beginning on."""

    def __init__(self, client: Any, stream: str, shard: str) -> None:
        start = client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        self._client = client
        self._iterator = start["ShardIterator"]
        self.shard = shard

    def read(self) -> list[Any]:
        """The next records; none where there are no more so far."""
        answer = self._client.get_records(ShardIterator=self._iterator, Limit=_A_CALL)
        self._iterator = answer["NextShardIterator"]
        records: list[Any] = answer["Records"]
        return records


def _cursors(address: StreamAddress) -> Iterator[_Cursor]:
    client = address.client()
    for shard in client.list_shards(StreamName=address.stream)["Shards"]:
        yield _Cursor(client, address.stream, shard["ShardId"])
