"""Writes records into the stream."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bridge.demo.embedded_kinesis import StreamAddress
from bridge.demo.writer import Send
from bridge.errors import BridgeError


@contextmanager
def into_stream(address: StreamAddress) -> Iterator[Send]:
    client = address.client()

    def send(records: Sequence[tuple[str, bytes]]) -> None:
        entries = [{"PartitionKey": key, "Data": value} for key, value in records]
        answer = client.put_records(StreamName=address.stream, Records=entries)
        if answer.get("FailedRecordCount"):
            raise BridgeError("write to the embedded Kinesis", f"it refused {answer['FailedRecordCount']} records")

    yield send
