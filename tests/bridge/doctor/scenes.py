"""Mirrors as checks see them, made up: sound ones, and what is wrong with one is all that a test says."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from confluent_kafka.admin._acl import AclOperation

from bridge.config import Configuration
from bridge.doctor.check import Check
from bridge.doctor.examination import examined
from bridge.doctor.sample import Sample
from bridge.doctor.scene import Ask, End, Kept, Role, Scene, StreamEnd, TopicEnd
from bridge.findings import Finding
from bridge.migration.sides import Sides
from checkpoints.base import Checkpoint
from connectors.base import Batch, Clock, Header, Place
from connectors.kafka.inspection import PartitionDescription, TopicDescription
from connectors.kinesis.services import FanOutConsumer, ReadingService
from connectors.kinesis.shards import Shard
from connectors.kinesis.summary import Summary

T = TypeVar("T")

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

SOUND_SETTINGS: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "max.message.bytes": "2000000",
    "min.insync.replicas": "2",
    "retention.ms": str(7 * DAY_MS),
    "unclean.leader.election.enable": "false",
}


class StillClock(Clock):
    def now_ms(self) -> int:
        return NOW_MS


def told(answer: T) -> Ask[T]:
    """It is asked, and that is the answer."""

    async def ask() -> T:
        return answer

    return ask


def raising(error: Exception) -> Callable[[], Awaitable[Any]]:
    async def ask() -> Any:
        raise error

    return ask


def batch(
    keys: Sequence[bytes | None], *, partition: str = "0", headers: tuple[Header, ...] | None = None, size: int = 10
) -> Batch:
    count = len(keys)
    return Batch(
        partition,
        Place("9"),
        [str(index) for index in range(count)],
        keys,
        [b"v" * size] * count,
        [NOW_MS - 1000] * count,
        None if headers is None else [headers] * count,
        size=count * size,
    )


def sample(*batches: Batch, **more: Any) -> Sample:
    return Sample(batches, **{"partitions": 4, **more})


def summary(**more: Any) -> Summary:
    return Summary(
        **{
            "arn": "arn:aws:kinesis:eu-west-1:111122223333:stream/orders",
            "status": "ACTIVE",
            "created_ms": NOW_MS - 30 * DAY_MS,
            "retention_ms": 3 * DAY_MS,
            "automatic": False,
            "largest_record": 1024 * 1024,
            **more,
        }
    )


def stream(
    found: Sample | None = None,
    *,
    shards: int = 4,
    server_ms: int = NOW_MS,
    sampling: Ask[Sample] | None = None,
    fan_out: Ask[Sequence[FanOutConsumer]] | None = None,
    functions: Ask[Sequence[ReadingService]] | None = None,
    delivery_streams: Ask[Sequence[ReadingService]] | None = None,
    **more: Any,
) -> StreamEnd:
    """``more`` changes its summary."""
    listed = [Shard(f"shardId-{number}", (), 0, 1, closed=False) for number in range(shards)]
    asked = sampling or told(found or sample())
    return StreamEnd(
        summary(**more),
        listed,
        asked,
        told(server_ms),
        fan_out or told(()),
        functions or told(()),
        delivery_streams or told(()),
    )


def description(
    partitions: int = 4,
    *,
    replicas: int = 3,
    in_sync: int | None = None,
    leaderless: Sequence[int] = (),
    settings: Mapping[str, str] | None = None,
    allowed: frozenset[AclOperation] | None = frozenset({AclOperation.ALL}),
    name: str = "orders",
) -> TopicDescription:
    """``settings`` changes sound ones."""
    listed = (
        PartitionDescription(number, number not in leaderless, replicas, replicas if in_sync is None else in_sync)
        for number in range(partitions)
    )
    return TopicDescription(name, "an-id", "cluster", tuple(listed), {**SOUND_SETTINGS, **(settings or {})}, allowed)


def topic(found: Sample | None = None, *, sampling: Ask[Sample] | None = None, **more: Any) -> TopicEnd:
    """``more`` changes its description."""
    return TopicEnd(description(**more), sampling or told(found or sample()))


def checkpoint(**more: Any) -> Checkpoint:
    return Checkpoint(
        **{
            "position": "5",
            "watermark_ms": NOW_MS - 1000,
            "finished": False,
            "saved_ms": NOW_MS,
            "source": "",
            "sink": "",
            **more,
        }
    )


def scene(
    source: End | None = None,
    sink: End | None = None,
    *,
    kept: Kept | None = None,
    absent: Mapping[Role, str] | None = None,
    dead_letter: End | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Scene:
    """Of a sound mirror of a stream into a topic, but for what is given.

    ``asked`` are keys of its configuration, those under ``source`` and ``sink`` being the ends' own.
    """
    ends: dict[Role, End] = {Role.SOURCE: source or stream(), Role.SINK: sink or topic()}
    if dead_letter is not None:
        ends[Role.DEAD_LETTER] = dead_letter
    missing = absent or {}
    reached = {role: end for role, end in ends.items() if role not in missing}
    found = None if Role.CHECKPOINTS in missing else kept or Kept("topic kmbridge-checkpoints", {})
    return Scene(_configuration(ends, asked or {}), StillClock(), reached, found, missing, _nowhere)


def _configuration(ends: Mapping[Role, End], asked: Mapping[str, Any]) -> Configuration:
    sections: dict[str, Any] = {"name": "orders", **asked}
    for role, server in ((Role.SOURCE, "b-1:9092"), (Role.SINK, "c-1:9092")):
        own = asked.get(role.value, {})
        if isinstance(ends[role], StreamEnd):
            sections[role.value] = {"kinesis": {"stream": "orders", "region": "eu-west-1", **own}}
        else:
            sections[role.value] = {"kafka": {"bootstrap_servers": [server], "topic": "orders", **own}}
    return Configuration.model_validate(sections)


def _nowhere() -> AbstractAsyncContextManager[Sides]:
    raise AssertionError("these ends are made up, and nobody reads them")


async def findings(check: Check, here: Scene) -> list[Finding]:
    """All that are not ok."""
    return [each for each in await examined(here, [check]) if each.severity != "ok"]


async def found(check: Check, here: Scene) -> Finding:
    """The one that is not ok."""
    [one] = await findings(check, here)
    assert one.reason, "a finding says why"
    return one


async def severities(check: Check, here: Scene) -> Mapping[str, int]:
    return Counter(each.severity.value for each in await examined(here, [check]))
