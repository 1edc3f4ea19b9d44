"""Handlers as people have them at AWS Lambda, state in the module included; they know nothing of the bridge."""

import base64
import json
from collections import Counter
from typing import Any

events: list[Any] = []
"""What they were called with, since the module was loaded."""

_calls: Counter[str] = Counter()


def transform(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Of Firehose: writes names in capitals, drops tests, has no use for records without a name."""
    events.append(event)
    return {"records": [_transformed(record) for record in event["records"]]}


def _transformed(record: dict[str, Any]) -> dict[str, Any]:
    data = base64.b64decode(record["data"])
    if not data:
        return {"recordId": record["recordId"], "result": "Ok", "data": ""}
    order = json.loads(data)
    if order.get("test"):
        return {"recordId": record["recordId"], "result": "Dropped"}
    if "name" not in order:
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
    order["name"] = order["name"].upper()
    made = base64.b64encode(json.dumps(order).encode()).decode()
    return {"recordId": record["recordId"], "result": "Ok", "data": made}


def consume(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Of a stream: says at which record it failed; ``again`` fails at first, ``never`` always, ``raises`` raises."""
    events.append(event)
    for record in event["Records"]:
        number = record["kinesis"]["sequenceNumber"]
        data = json.loads(base64.b64decode(record["kinesis"]["data"]) or b"{}")
        _calls[number] += 1
        if data.get("raises"):
            raise ValueError(f"cannot take {data['raises']}")
        if data.get("never") or (data.get("again") and _calls[number] < 2):
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}


def sums(event: dict[str, Any], context: object) -> str:
    """Of a stream: the plain kind, which returns a text and knows no partial failures."""
    events.append(event)
    total = sum(json.loads(base64.b64decode(record["kinesis"]["data"]))["n"] for record in event["Records"])
    return f"added up to {total}"
