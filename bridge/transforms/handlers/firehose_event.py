"""The event with which Firehose has records transformed.

Source: Amazon Data Firehose Developer Guide, "Required parameters for data transformation".
"""

from base64 import b64decode
from collections.abc import Sequence

import msgspec

from bridge.transforms.handlers.fate import Dropped, Failed, Fate, Kept
from bridge.transforms.handlers.handler import HandlerError
from bridge.transforms.handlers.shape import Origin, Shape, identifier, partition_key
from connectors.base import Batch

PROCESSING_FAILED = "processing_failed"
"""The reason of records that the handler calls ProcessingFailed; it is not asked again."""


class _Item(msgspec.Struct):
    recordId: str  # noqa: N815 - Firehose's name
    result: str
    data: str | None = None


class _Answer(msgspec.Struct):
    records: list[_Item]


class FirehoseEvent(Shape):
    """The handler says of each record Ok, with its new value, Dropped, or ProcessingFailed. The key stays."""

    def __init__(self, origin: Origin) -> None:
        stream = {
            "invocationId": "kmbridge",
            "deliveryStreamArn": f"arn:aws:firehose:{origin.region}:{origin.account}:deliverystream/{origin.stream}",
            "sourceKinesisStreamArn": origin.arn,
            "region": origin.region,
        }
        self._head = msgspec.json.encode(stream)[:-1] + b',"records":['

    def entry(self, batch: Batch, index: int) -> bytes:
        told, arrived_ms = identifier(batch, index), batch.arrived_ms[index]
        return msgspec.json.encode(
            {
                "recordId": told,
                "approximateArrivalTimestamp": arrived_ms,
                "data": batch.values[index] or b"",
                "kinesisRecordMetadata": {
                    "sequenceNumber": told,
                    "subsequenceNumber": 0,
                    "partitionKey": partition_key(batch, index),
                    "shardId": batch.partition,
                    "approximateArrivalTimestamp": arrived_ms,
                },
            }
        )

    def event(self, entries: Sequence[bytes]) -> bytes:
        return self._head + b",".join(entries) + b"]}"

    def fates(self, batch: Batch, indexes: range, answer: bytes) -> Sequence[Fate]:
        try:
            told = msgspec.json.decode(answer, type=_Answer)
        except msgspec.DecodeError as error:
            raise HandlerError("answer", f"is not what Firehose expects: {error}") from error
        items = {each.recordId: each for each in told.records}
        expected = [identifier(batch, index) for index in indexes]
        if len(told.records) != len(expected) or items.keys() != set(expected):
            raise HandlerError("answer", "does not have each recordId of the event once")
        return [_fate(items[each], batch.values[index]) for each, index in zip(expected, indexes, strict=True)]


def _fate(item: _Item, value: bytes | None) -> Fate:
    match item.result:
        case "Ok":
            return _kept(item.data, value)
        case "Dropped":
            return Dropped()
        case "ProcessingFailed":
            return Failed(PROCESSING_FAILED, "the handler says ProcessingFailed")
        case result:
            return Failed(PROCESSING_FAILED, f"the handler says {result!r}, not Ok, Dropped or ProcessingFailed")


def _kept(data: str | None, value: bytes | None) -> Fate:
    try:
        made = b64decode(data or "", validate=True)
    except ValueError as error:
        return Failed(PROCESSING_FAILED, f"the handler's data is not base64: {error}")
    # A tombstone comes as no bytes, and goes on as what it is where nothing was made of it.
    return Kept(None if value is None and not made else made)
