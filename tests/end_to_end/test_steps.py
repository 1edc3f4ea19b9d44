"""Steps by expression and a handler of Lambda between two topics, on a real broker."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.config.document import Document
from bridge.config.validation import validate
from bridge.jobs.backfill import Backfill
from bridge.jobs.backfill_request import BackfillRequest
from bridge.parity.verification import verify
from tests.support.factories import TopicFactory
from tests.support.fake_lambda import fake_lambda
from tests.support.kafka_reader import TopicRecord, read_topic
from tests.support.topic_writer import TopicMessage, write_topic

pytestmark = pytest.mark.broker

COUNT = 900
CUSTOMERS = 30
SECRET = "for the hash"
LOST = 700
"""The consumer never takes it."""


def _steps(url: str) -> list[Mapping[str, Any]]:
    return [
        {"filter": 'value.kind == "order"'},
        {"lambda": {"function": "audit", "batch": 50, "attempts": 2, "endpoint_url": url, "region": "eu-west-1"}},
        {"map": {"set": {"$.total": "value.price * double(value.count)"}, "remove": ["$.internal"]}},
        {"redact": {"fields": ["$..email"], "by": "hash", "secret": SECRET}},
        {"headers": {"set": {"customer": "value.customer"}, "remove": ["x-*"]}},
        {"rekey": "value.customer"},
    ]


def _order(number: int) -> dict[str, Any]:
    return {
        "number": number,
        "kind": "order" if number % 3 else "visit",
        "customer": f"customer-{number % CUSTOMERS}",
        "price": 2.5,
        "count": number,
        "internal": {"a": 1},
        "to": {"email": f"{number % 7}@example.org"},
    }


def _message(number: int) -> TopicMessage:
    value = b"no JSON" if number % 500 == 499 else json.dumps(_order(number)).encode()
    # All of a customer are in one partition under their old key too, so that they have an order.
    return TopicMessage(f"session-{number % CUSTOMERS}".encode(), value, (("x-trace", b"1"), ("keep", b"2")))


class Audit:
    """A consumer that fails at few records once, and at one for good."""

    def __init__(self) -> None:
        self.tried: set[int] = set()
        self.seen: dict[str, list[int]] = defaultdict(list)
        """What each customer's records were, in the order in which it was done with them."""

    def __call__(self, event: Any, _: object) -> object:
        for record in event["Records"]:
            order = json.loads(_data(record))
            number = order["number"]
            if number == LOST or (number % 300 == 1 and number not in self.tried):
                self.tried.add(number)
                return {"batchItemFailures": [{"itemIdentifier": record["kinesis"]["sequenceNumber"]}]}
            self.seen[order["customer"]].append(number)
        return {"batchItemFailures": []}


def _data(record: Any) -> bytes:
    return base64.b64decode(record["kinesis"]["data"])


@pytest.fixture
def audit() -> Audit:
    return Audit()


async def test_what_arrives_is_what_the_steps_make_each_new_key_in_order(
    kafka: str, topic: TopicFactory, tmp_path: Path, audit: Audit
) -> None:
    """Changed, dropped and refused records in one range: the others arrive once, and verify accounts for all."""
    source, sink, letters = topic(3), topic(4), tmp_path / "letters.jsonl"
    await asyncio.to_thread(write_topic, kafka, source, map(_message, range(COUNT)))

    with fake_lambda() as aws:
        aws.handlers["audit"] = audit
        asked = {
            "name": f"steps-{sink}".lower()[:60],
            "source": {"kafka": {"bootstrap_servers": [kafka], "topic": source}},
            "sink": {"kafka": {"bootstrap_servers": [kafka], "topic": sink}},
            "transforms": _steps(aws.url),
            "on_error": "dead_letter",
            "dead_letter": {"file": {"path": str(letters)}},
            "http": None,
        }
        configuration = validate(Document(asked))
        report = await Backfill(configuration, BackfillRequest()).run()
        audited = {key: [*numbers] for key, numbers in audit.seen.items()}
        parity = await verify(configuration)

    refused = {number for number in range(COUNT) if number % 500 == 499 or number == LOST}
    expected = [number for number in range(COUNT) if number % 3 and number not in refused]
    arrived = await read_topic(kafka, sink)
    assert report.is_complete
    assert report.records == len(expected)
    assert {key: [each["number"] for each in orders] for key, orders in _by_key(arrived).items()} == _by_customer(
        expected
    )
    assert audited == {key.decode(): numbers for key, numbers in _by_customer(expected).items()}
    assert [order for orders in _by_key(arrived).values() for order in orders if order != _made(order["number"])] == []
    assert all(_own_headers(record) == [("keep", b"2"), ("customer", record.key)] for record in arrived)
    assert len(letters.read_text().splitlines()) == len(refused)
    assert parity.equal, parity.summary()
    assert parity.sink_records == len(expected)


def _made(number: int) -> dict[str, Any]:
    order = _order(number)
    del order["internal"]
    order["to"]["email"] = hmac.digest(SECRET.encode(), order["to"]["email"].encode(), hashlib.sha256).hex()
    return {**order, "total": 2.5 * number}


def _by_customer(numbers: list[int]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = defaultdict(list)
    for number in numbers:
        found[_order(number)["customer"].encode()].append(number)
    return found


def _by_key(records: list[TopicRecord]) -> dict[bytes, list[dict[str, Any]]]:
    found: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        assert record.key is not None
        assert record.value is not None
        found[record.key].append(json.loads(record.value))
    return found


def _own_headers(record: TopicRecord) -> list[tuple[str, bytes | None]]:
    return [header for header in record.headers if not header[0].startswith("kmbridge-")]
