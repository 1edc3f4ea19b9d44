"""A Kinesis in memory that speaks to the source where its HTTP client would, with faults on request."""

import base64
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import msgspec

from connectors.base import Clock, ConnectorError, Observer
from connectors.kinesis.client import Answer, Caller, Connection
from connectors.kinesis.faults import fault
from connectors.kinesis.long_answer import LongAnswer
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.settings import KinesisSourceSettings

T = TypeVar("T")

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"
HASHES = 2**128


@dataclass(slots=True)
class FakeRecord:
    sequence: int
    data: bytes
    key: str | None
    arrival_ms: int


@dataclass(slots=True)
class FakeShard:
    id: str
    parents: tuple[str, ...] = ()
    first: int = 0
    last: int = HASHES - 1
    records: list[FakeRecord] = field(default_factory=list)
    closed: bool = False


class FakeKinesis(Caller):
    """Set its attributes to change how it behaves; read ``calls`` to see what it was asked."""

    def __init__(self, clock: Clock, shards: int = 1) -> None:
        self._clock = clock
        self._sequence = 10**55
        self._faults: dict[str, deque[ConnectorError]] = {}
        self.shards = {f"shardId-{number:012}": FakeShard(f"shardId-{number:012}") for number in range(shards)}
        self.calls: list[tuple[float, str, dict[str, Any]]] = []
        self.page_size = 1_000
        self.answer_size = 10_000
        self.names_children = True
        self.extra_summary: dict[str, Any] = {}
        self.retention_hours = 24
        self.created_s = clock.now_ms() / 1000 - 30 * 86_400
        self.lag_ms = 0
        self.iterator_life_s = 300.0
        self.unconfirmed_ends = 0

    @property
    def target(self) -> str:
        return "http://fake in eu-west-1"

    def server_now_ms(self) -> int:
        return self._clock.now_ms()

    @asynccontextmanager
    async def connect(self, connection: Connection, clock: Clock) -> AsyncIterator[Caller]:
        """What a source or a sink is given in the place of the client's."""
        yield self

    def fail(self, operation: str, *codes: str, status: int = 400) -> None:
        """The next calls of ``operation`` are answered with these errors, one each."""
        errors = (fault(operation, self.target, status, code, "as told") for code in codes)
        self._faults.setdefault(operation, deque()).extend(errors)

    def refuse(self, operation: str) -> None:
        """Raise the error with which this call is to be answered, if it is to be."""
        if self._faults.get(operation):
            raise self._faults[operation].popleft()

    def put(self, data: bytes, *, key: str | None = "k", shard: str | None = None, age_ms: int = 0) -> FakeRecord:
        """Append a record that arrived ``age_ms`` ago."""
        self._sequence += 1
        record = FakeRecord(self._sequence, data, key, self._clock.now_ms() - age_ms)
        self.shards[shard or next(iter(self.shards))].records.append(record)
        return record

    def kept(self, shard: FakeShard, start: int) -> list[FakeRecord]:
        """Its records from ``start`` on that have not expired."""
        oldest_ms = self._clock.now_ms() - self.retention_hours * 3_600_000
        return [each for each in shard.records if each.sequence >= start and each.arrival_ms >= oldest_ms]

    def split(self, shard: str) -> None:
        self.shards[shard].closed = True
        for _ in range(2):
            child = f"shardId-{len(self.shards):012}"
            self.shards[child] = FakeShard(child, (shard,))

    def count(self, operation: str) -> int:
        return sum(1 for _, name, _ in self.calls if name == operation)

    def times(self, operation: str) -> list[float]:
        return [at for at, name, _ in self.calls if name == operation]

    async def call(
        self, operation: str, parameters: Mapping[str, object], answer: msgspec.json.Decoder[T]
    ) -> Answer[T]:
        given = dict(parameters)
        self.calls.append((self._clock.monotonic(), operation, given))
        await self._clock.sleep(0.001)
        self.refuse(operation)
        body = msgspec.json.encode(getattr(self, f"_{operation}")(given))
        return Answer(answer.decode(body), len(body), self._clock.now_ms() // 1000 * 1000)

    def stream(self, operation: str, parameters: Mapping[str, object]) -> AbstractAsyncContextManager[LongAnswer]:
        raise NotImplementedError

    def _DescribeStreamSummary(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # the operation's name
        summary = {
            "StreamName": "orders",
            "StreamARN": ARN,
            "StreamStatus": "ACTIVE",
            "RetentionPeriodHours": self.retention_hours,
            "StreamCreationTimestamp": self.created_s,
        }
        return {"StreamDescriptionSummary": summary | self.extra_summary}

    def _ListShards(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # the operation's name
        if ("NextToken" in given) == ("StreamName" in given):
            raise fault("ListShards", self.target, 400, "InvalidArgumentException", "either a token or a name")
        first = int(given.get("NextToken", 0))
        page = list(self.shards.values())[first : first + self.page_size]
        answer: dict[str, Any] = {"Shards": [_shard(each) for each in page]}
        if first + self.page_size < len(self.shards):
            answer["NextToken"] = str(first + self.page_size)
        return answer

    def _GetShardIterator(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # the operation's name
        shard = self.shards.get(given["ShardId"])
        if shard is None:
            raise fault("GetShardIterator", self.target, 400, "ResourceNotFoundException", "no such shard")
        match given["ShardIteratorType"]:
            case "AT_SEQUENCE_NUMBER":
                start = int(given["StartingSequenceNumber"])
            case "AFTER_SEQUENCE_NUMBER":
                start = int(given["StartingSequenceNumber"]) + 1
            case "AT_TIMESTAMP":
                start = next((r.sequence for r in shard.records if r.arrival_ms >= given["Timestamp"] * 1000), 10**56)
            case _:
                start = 0
        return {"ShardIterator": self._iterator(shard.id, start)}

    def _GetRecords(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # the operation's name
        shard_id, start, made = given["ShardIterator"].split("/")
        if self._clock.monotonic() - float(made) > self.iterator_life_s:
            raise fault("GetRecords", self.target, 400, "ExpiredIteratorException", "too old")
        shard = self.shards.get(shard_id)
        if shard is None:
            raise fault("GetRecords", self.target, 400, "ResourceNotFoundException", "no such shard")
        there = self.kept(shard, int(start))
        page = there[: min(given["Limit"], self.answer_size)]
        answer: dict[str, Any] = {"Records": [shown_record(each) for each in page], "MillisBehindLatest": self.lag_ms}
        at_end = len(page) == len(there)
        if self.unconfirmed_ends and at_end:
            self.unconfirmed_ends -= 1
        elif not (shard.closed and at_end):
            following = page[-1].sequence + 1 if page else int(start)
            answer["NextShardIterator"] = self._iterator(shard_id, following)
        elif self.names_children:
            answer["ChildShards"] = [{"ShardId": s.id} for s in self.shards.values() if shard_id in s.parents]
        return answer

    def _iterator(self, shard: str, start: int) -> str:
        return f"{shard}/{start}/{self._clock.monotonic()}"


def _shard(shard: FakeShard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": "1"} | ({"EndingSequenceNumber": "2"} if shard.closed else {})
    shown: dict[str, Any] = {
        "ShardId": shard.id,
        "HashKeyRange": {"StartingHashKey": str(shard.first), "EndingHashKey": str(shard.last)},
        "SequenceNumberRange": numbers,
    }
    return shown | dict(zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False))


def shown_record(record: FakeRecord) -> dict[str, Any]:
    shown = {
        "SequenceNumber": str(record.sequence),
        "ApproximateArrivalTimestamp": record.arrival_ms / 1000,
        "Data": base64.b64encode(record.data).decode(),
    }
    return shown | ({"PartitionKey": record.key} if record.key is not None else {})


class CountingObserver(Observer):
    def __init__(self) -> None:
        self.retries: Counter[tuple[str, str]] = Counter()
        self.throttles: Counter[str] = Counter()

    def retried(self, operation: str, reason: str) -> None:
        self.retries[operation, reason] += 1

    def throttled(self, operation: str) -> None:
        self.throttles[operation] += 1


@asynccontextmanager
async def opened(
    fake: FakeKinesis, clock: Clock, observer: Observer | None = None, **settings: Any
) -> AsyncIterator[KinesisSource]:
    """A source that reads ``fake``, entered."""
    told = KinesisSourceSettings("orders", **settings)
    async with KinesisSource(told, clock, Random(1), observer or Observer(), fake.connect) as source:
        yield source
