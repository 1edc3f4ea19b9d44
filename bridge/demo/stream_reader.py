"""Reads the stream: along, or once at the end."""

from collections.abc import Iterator
from typing import Any

from bridge.demo.embedded_kinesis import StreamAddress
from bridge.demo.origin import Identify
from bridge.demo.reader import Reader
from bridge.parity.comparison import Side
from bridge.parity.entry import Entry, Identity, entry
from connectors.codecs.decoded import Decoded
from connectors.codecs.decoding import Decoder

_A_CALL = 2_000
_PAUSE_S = 0.05


def read_stream(address: StreamAddress) -> Side:
    """All records as they stand, shard by shard. Nobody may be writing any more: a shard ends at its first empty
    answer. Blocks.
    """
    side = Side()
    for cursor in _cursors(address):
        while records := cursor.read():
            for record in records:
                identity = Identity(cursor.shard, record["SequenceNumber"])
                side.add(entry(identity, cursor.shard, record["PartitionKey"].encode(), record["Data"]))
    return side


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
            decoded = self._decoder.decode(key, data) or Decoded([key], [data], [None], [()])
            for found, value in self._entries(cursor.shard, record["SequenceNumber"], decoded):
                self._take(found, value)
        return len(records)

    def _entries(self, shard: str, number: str, decoded: Decoded) -> Iterator[tuple[Entry, bytes | None]]:
        for key, value, headers in zip(decoded.keys, decoded.values, decoded.headers, strict=True):
            yield entry(self._identify(shard, number, headers), shard, key, value, headers), value


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
