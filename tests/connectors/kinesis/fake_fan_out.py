"""The Kinesis in memory with consumers that subscribe, within the limits that AWS sets them."""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from connectors.base import Clock, Observer, TransientError
from connectors.kinesis.fan_out import FanOutSource
from connectors.kinesis.faults import fault
from connectors.kinesis.long_answer import LongAnswer
from connectors.kinesis.settings import FanOutSettings, KinesisSourceSettings
from tests.connectors.kinesis.fake import ARN, FakeKinesis, FakeShard, shown_record
from tests.support.event_frames import event_frame, exception_frame

LIFE_S = 300.0
AGAIN_S = 5.0
"""Earlier than this after a success another call is refused; later it takes the subscription over."""
CALLS_S = 1.0
SPACING_S = 5.0
_LOOK_S = 0.05


@dataclass(slots=True)
class Subscribed:
    """One subscription, which lasts until it is taken over or its time is up."""

    at: float
    is_taken: bool = False


class FanOutKinesis(FakeKinesis):
    """Set its attributes to change how it behaves; read ``subscribed`` to see when each shard was subscribed to."""

    def __init__(self, clock: Clock, shards: int = 1) -> None:
        super().__init__(clock, shards)
        self.consumers: dict[str, float] = {}
        """When each becomes ACTIVE, by name."""
        self.consumer_limit = 20
        self.creating_s = 0.0
        self.life_s = LIFE_S
        self.continues_at_next = False
        """Whether the number to continue at is that of the next record, not of the last."""
        self.marks_end_by_null = True
        self.names_no_number = False
        """Whether each event looks like a shard's last one, as some servers have it."""
        self.frames: deque[bytes] = deque()
        """Sent before the next event, whatever they are."""
        self.pieces: deque[bytes] = deque()
        """Of frames: likewise, and behind each of them the connection is cut."""
        self.subscribed: dict[str, list[float]] = {}
        self._live: dict[tuple[str, str], Subscribed] = {}
        self._called: dict[tuple[str, str], float] = {}

    @asynccontextmanager
    async def stream(self, operation: str, parameters: Mapping[str, object]) -> AsyncIterator[LongAnswer]:
        given: dict[str, Any] = dict(parameters)
        self.calls.append((self._clock.monotonic(), operation, given))
        await self._clock.sleep(0.001)
        self.refuse(operation)
        yield _FakeAnswer(self._events(*self._taken(given)))

    def _taken(self, given: dict[str, Any]) -> tuple[Subscribed, FakeShard, int]:
        """What AWS decides about a call."""
        now, where = self._clock.monotonic(), (given["ConsumerARN"], given["ShardId"])
        last, self._called[where] = self._called.get(where, -CALLS_S), now
        if now - last < CALLS_S:
            raise self._fault("LimitExceededException")
        name = _name(given["ConsumerARN"])
        shard = self.shards.get(given["ShardId"])
        if name not in self.consumers or shard is None:
            raise self._fault("ResourceNotFoundException")
        live = self._live.get(where)
        if now < self.consumers[name] or (live is not None and now - live.at < AGAIN_S):
            raise self._fault("ResourceInUseException")
        if live is not None:
            live.is_taken = True
        self._live[where] = Subscribed(now)
        self.subscribed.setdefault(shard.id, []).append(now)
        return self._live[where], shard, _start(shard, given["StartingPosition"])

    async def _events(self, subscribed: Subscribed, shard: FakeShard, start: int) -> AsyncIterator[bytes]:
        clock, next_event, first = self._clock, self._clock.monotonic(), start
        yield event_frame(b"", "initial-response")
        while clock.monotonic() - subscribed.at < self.life_s and not subscribed.is_taken:
            while self.frames:
                yield self.frames.popleft()
            if self.pieces:
                yield self.pieces.popleft()
                return
            records = self.kept(shard, first)[:100]
            ends = shard.closed and (not records or records[-1] is shard.records[-1])
            if records or ends or clock.monotonic() >= next_event:
                first = records[-1].sequence + 1 if records else first
                yield event_frame(msgspec.json.encode(self._event(shard, records, first, ends=ends)))
                next_event = clock.monotonic() + SPACING_S
            if ends:
                return
            await clock.sleep(_LOOK_S)
        if subscribed.is_taken:
            yield exception_frame("ResourceInUseException")

    def _event(self, shard: FakeShard, records: list[Any], first: int, *, ends: bool) -> dict[str, Any]:
        event: dict[str, Any] = {"Records": [shown_record(each) for each in records], "MillisBehindLatest": self.lag_ms}
        if not (ends and self.marks_end_by_null) and not self.names_no_number:
            event["ContinuationSequenceNumber"] = str(first if self.continues_at_next else first - 1)
        if ends and self.names_children:
            event["ChildShards"] = [{"ShardId": each.id} for each in self.shards.values() if shard.id in each.parents]
        return event

    def _fault(self, code: str) -> Exception:
        return fault("SubscribeToShard", self.target, 400, code, "as told")

    def _RegisterStreamConsumer(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # the operation's name
        name = given["ConsumerName"]
        if name in self.consumers:
            raise fault("RegisterStreamConsumer", self.target, 400, "ResourceInUseException", "it is there")
        if len(self.consumers) >= self.consumer_limit:
            raise fault("RegisterStreamConsumer", self.target, 400, "LimitExceededException", "too many consumers")
        self.consumers[name] = self._clock.monotonic() + self.creating_s
        return {"Consumer": self._consumer(name)}

    def _DescribeStreamConsumer(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # the operation's name
        name = given.get("ConsumerName") or _name(given["ConsumerARN"])
        if name not in self.consumers:
            raise fault("DescribeStreamConsumer", self.target, 400, "ResourceNotFoundException", "no such consumer")
        return {"ConsumerDescription": self._consumer(name)}

    def _DeregisterStreamConsumer(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # the operation's name
        del self.consumers[_name(given["ConsumerARN"])]
        return {}

    def _consumer(self, name: str) -> dict[str, Any]:
        status = "ACTIVE" if self._clock.monotonic() >= self.consumers[name] else "CREATING"
        return {"ConsumerName": name, "ConsumerARN": f"{ARN}/consumer/{name}:1", "ConsumerStatus": status}


class _FakeAnswer(LongAnswer):
    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        self._frames = frames
        self._buffer = b""

    async def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            frame = await anext(self._frames, None)
            if frame is None and self._buffer:
                raise TransientError("SubscribeToShard at the fake", "cut")
            if frame is None:
                return b""
            self._buffer += frame
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found


def _name(arn: str) -> str:
    """Of a consumer."""
    return arn.rpartition("/")[2].partition(":")[0]


def _start(shard: FakeShard, position: Mapping[str, Any]) -> int:
    match position["Type"]:
        case "AT_SEQUENCE_NUMBER":
            return int(position["SequenceNumber"])
        case "AFTER_SEQUENCE_NUMBER":
            return int(position["SequenceNumber"]) + 1
        case "AT_TIMESTAMP":
            return next((r.sequence for r in shard.records if r.arrival_ms >= position["Timestamp"] * 1000), 10**56)
        case _:
            return 0


@asynccontextmanager
async def opened(
    fake: FakeKinesis,
    clock: Clock,
    observer: Observer | None = None,
    fan_out: FanOutSettings | None = None,
    **settings: Any,
) -> AsyncIterator[FanOutSource]:
    """A source that subscribes to the shards of ``fake``, entered."""
    told, fan_out = KinesisSourceSettings("orders", **settings), fan_out or FanOutSettings("kmbridge-orders")
    async with FanOutSource(told, fan_out, clock, Random(1), observer or Observer(), fake.connect) as source:
        yield source
