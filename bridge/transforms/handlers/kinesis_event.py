"""The event with which Lambda calls a consumer of a stream.

Source: AWS Lambda Developer Guide, "Using Lambda to process records from Amazon Kinesis Data Streams": the example
event, and "Configuring partial batch response".
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from bridge.transforms.handlers.fate import Kept
from bridge.transforms.handlers.handler import HandlerError
from bridge.transforms.handlers.shape import Origin, Shape, identifier, partition_key
from connectors.base import Batch


class KinesisEvent(Shape):
    """A consumer changes nothing: what it has dealt with goes on as it is.

    Where it names records in ``batchItemFailures`` it is called again from the first of these on, as Lambda does it.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def entry(self, batch: Batch, index: int) -> bytes:
        told = identifier(batch, index)
        return msgspec.json.encode(
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": partition_key(batch, index),
                    "sequenceNumber": told,
                    "data": batch.values[index] or b"",
                    "approximateArrivalTimestamp": batch.arrived_ms[index] / 1000,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{batch.partition}:{told}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": f"arn:aws:iam::{self._origin.account}:role/kmbridge",
                "awsRegion": self._origin.region,
                "eventSourceARN": self._origin.arn,
            }
        )

    def event(self, entries: Sequence[bytes]) -> bytes:
        return b'{"Records":[' + b",".join(entries) + b"]}"

    def fates(self, batch: Batch, indexes: range, answer: bytes) -> Sequence[Kept]:
        places = {identifier(batch, index): index for index in indexes}
        failed = [places.get(each) for each in _failures(answer)]
        if None in failed:
            # Lambda takes such an answer for a failure of all.
            raise HandlerError("batchItemFailures", "an itemIdentifier is none of the sequence numbers of the event")
        end = min((index for index in failed if index is not None), default=indexes.stop)
        return [Kept(batch.values[index]) for index in range(indexes.start, end)]


def _failures(answer: bytes) -> list[Any]:
    """The identifiers that are named as failed. Whatever else a consumer returns says that all went well."""
    told: Any = msgspec.json.decode(answer)
    items = told.get("batchItemFailures") if isinstance(told, dict) else None
    if not items:
        return []
    if not isinstance(items, list):
        raise HandlerError("batchItemFailures", "is no list")
    return [each.get("itemIdentifier") if isinstance(each, dict) else None for each in items]
