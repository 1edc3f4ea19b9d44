"""The Kinesis in memory as a sink meets it: what it writes, what it refuses, what it never answers."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any, TypeVar

from msgspec.json import Decoder

from connectors.base import Batch, Clock, Observer, TransientError
from connectors.codecs.catalogue import CodecName, codec_named
from connectors.codecs.compression import Compression
from connectors.codecs.kpl import hash_of
from connectors.kinesis.answers import PutEntry
from connectors.kinesis.client import Answer
from connectors.kinesis.faults import fault
from connectors.kinesis.settings import KinesisSinkSettings
from connectors.kinesis.sink import KinesisSink
from connectors.kinesis.writing.vigil import Confirm
from tests.connectors.kinesis.fake import HASHES, FakeKinesis
from tests.connectors.kinesis.writing import nobody_asks
from tests.contracts.sink import batch, series

T = TypeVar("T")


class Harm:
    """What befalls calls and entries. This one harms nobody."""

    def call(self, entries: Sequence[PutEntry]) -> str:
        """One of: ``""``, ``throttled``, ``refused``, ``invalid``, ``lost`` before it is written, ``unheard`` after."""
        return ""

    def entry(self, entry: PutEntry) -> str:
        """An error code, or ``""``."""
        return ""

    def latency_s(self) -> float:
        return 0.01


class Scripted(Harm):
    """Asks ``call`` and ``entry``, which a test sets."""

    def __init__(self) -> None:
        self.on_call: Callable[[Sequence[PutEntry]], str] = lambda _: ""
        self.on_entry: Callable[[PutEntry], str] = lambda _: ""

    def call(self, entries: Sequence[PutEntry]) -> str:
        return self.on_call(entries)

    def entry(self, entry: PutEntry) -> str:
        return self.on_entry(entry)


def once(*answers: str) -> Callable[[object], str]:
    """For ``Scripted``: ``answers`` once each, then nothing happens."""
    left = list(answers)
    return lambda _: left.pop(0) if left else ""


def lane_of(count: int, *, keys: int = 3, lane: str = "lane", first: int = 0) -> Batch:
    """Records that go by the numbers from ``first`` on."""
    return batch(lane, series(lane, count, first), keys=keys, first=first)


class RandomHarm(Harm):
    """All that can happen, each to some in a hundred."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def call(self, entries: Sequence[PutEntry]) -> str:
        return self._random.choices(("", "throttled", "lost", "unheard"), (85, 5, 5, 5))[0]

    def entry(self, entry: PutEntry) -> str:
        codes = ("", "ProvisionedThroughputExceededException", "InternalFailure")
        return self._random.choices(codes, (85, 10, 5))[0]

    def latency_s(self) -> float:
        return self._random.uniform(0.001, 0.1)


class WritableKinesis(FakeKinesis):
    """Notes what arrives, and which keys had two entries out at a time."""

    def __init__(self, clock: Clock, shards: int = 1, harm: Harm | None = None) -> None:
        super().__init__(clock, shards)
        self._time = clock
        self.harm = harm or Harm()
        self.entries: list[PutEntry] = []
        """In the order in which they were written."""
        self.unheard: list[PutEntry] = []
        """Those of them of which no answer told."""
        self.out: Counter[str] = Counter()
        self.most_out = 0
        self.puts: list[tuple[float, list[PutEntry]]] = []
        """Every call: when it came, and its entries."""
        for number, shard in enumerate(self.shards.values()):
            shard.first = HASHES * number // shards
            shard.last = HASHES * (number + 1) // shards - 1

    async def call(self, operation: str, parameters: Mapping[str, object], answer: Decoder[T]) -> Answer[T]:
        if operation != "PutRecords":
            return await super().call(operation, parameters, answer)
        given: Any = parameters["Records"]
        entries: list[PutEntry] = list(given)
        self.puts.append((self._time.monotonic(), entries))
        self.out.update(entry.partition_key for entry in entries)
        self.most_out = max(self.most_out, *self.out.values())
        try:
            await self._time.sleep(self.harm.latency_s())
            return await self._write(parameters, entries, answer)
        finally:
            self.out.subtract(entry.partition_key for entry in entries)

    async def _write(self, parameters: Mapping[str, object], entries: list[PutEntry], answer: Decoder[T]) -> Answer[T]:
        match self.harm.call(entries):
            case "throttled":
                raise fault("PutRecords", self.target, 400, "ThrottlingException", "as told")
            case "refused":
                raise fault("PutRecords", self.target, 400, "AccessDeniedException", "as told")
            case "invalid":
                raise fault("PutRecords", self.target, 400, "ValidationException", "as told")
            case "lost":
                raise TransientError("PutRecords", "no answer in time")
            case "unheard":
                await super().call("PutRecords", parameters, answer)
                written = {id(entry) for entry in self.entries}
                self.unheard += [entry for entry in entries if id(entry) in written]
                raise TransientError("PutRecords", "no answer in time")
        return await super().call("PutRecords", parameters, answer)

    def split(self, shard: str) -> None:
        super().split(shard)
        parent = self.shards[shard]
        middle = (parent.first + parent.last) // 2
        left, right = (each for each in self.shards.values() if each.parents == (shard,))
        left.first, left.last, right.first, right.last = parent.first, middle, middle + 1, parent.last

    def _PutRecords(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # the operation's name
        results = [self._put(entry) for entry in given["Records"]]
        return {"FailedRecordCount": sum("ErrorCode" in result for result in results), "Records": results}

    def _put(self, entry: PutEntry) -> dict[str, Any]:
        if code := self.harm.entry(entry):
            return {"ErrorCode": code, "ErrorMessage": "as told"}
        place = hash_of(entry.partition_key.encode())
        shard = next(s for s in self.shards.values() if not s.closed and s.first <= place <= s.last)
        self.entries.append(entry)
        record = self.put(entry.data, key=entry.partition_key, shard=shard.id)
        return {"ShardId": shard.id, "SequenceNumber": str(record.sequence)}


@asynccontextmanager
async def sink_into(
    fake: FakeKinesis,
    clock: Clock,
    codec: CodecName = "raw",
    observer: Observer | None = None,
    confirm: Confirm = nobody_asks,
    compression: Compression = "none",
    **settings: Any,
) -> AsyncIterator[KinesisSink]:
    """A sink that writes to ``fake``, entered."""
    told = KinesisSinkSettings("orders", codec_named(codec, compression), **settings)
    async with KinesisSink(told, clock, Random(1), observer or Observer(), confirm, fake.connect) as sink:
        yield sink
