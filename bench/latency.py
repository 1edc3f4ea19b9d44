"""How long a record takes from its sender to a consumer, at a moderate rate."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.flow import Flow, Follower, all_arrived
from bench.load import SHARDS
from bench.pushing import pushing_kinesis
from bench.servers import Servers
from bench.trial import new_stream, new_topic
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.mirror_process import MirrorProcess

RATE = 1_000
MEASURED_S = 20.0
SETTING = (
    f"{RATE} records/s over {SHARDS} shards for {MEASURED_S:g} s: milliseconds from the sender's call until a consumer "
    "of committed\nrecords has them. Polling, up to 200 of these pass until a shard is read again: AWS's limits are "
    "kept.\nThe server sends to subscribers within 2 ms"
)
_WARM_S = 5.0
_EXACTLY_ONCE = {"checkpoints": "auto", "sink": {"kafka": {"delivery": "exactly_once"}}}
_FAN_OUT = {"source": {"kinesis": {"read": "fan_out"}}}
POLLED_ONCE = "polling, exactly once"
FANNED_OUT = "fan-out, at least once"
_MORE: Mapping[str, Mapping[str, Any]] = {
    "polling, at least once": {},
    POLLED_ONCE: _EXACTLY_ONCE,
    FANNED_OUT: _FAN_OUT,
    "fan-out, exactly once": {**_EXACTLY_ONCE, **_FAN_OUT},
}


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be reached, in milliseconds."""

    p99: float
    p50: float | None = None

    def reached_by(self, figures: Mapping[str, float]) -> bool:
        return figures["p99"] <= self.p99 and (self.p50 is None or figures["p50"] <= self.p50)

    def __str__(self) -> str:
        return f"p99 {self.p99:g} ms" if self.p50 is None else f"p50 {self.p50:g} ms and p99 {self.p99:g} ms"


AIMS = {POLLED_ONCE: Aim(400), FANNED_OUT: Aim(60, 15)}


@dataclass(frozen=True, slots=True)
class Latency:
    """In milliseconds, from before the sender's call to where the consumer has the record."""

    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Latency":
        hundredths = quantiles(values, n=100)
        return cls(hundredths[49], hundredths[98], max(values))


async def measure(servers: Servers, repeat: int) -> dict[str, list[Latency]]:
    """Of each way to read and each delivery in turn, ``repeat`` times. Of ``servers`` it takes Kafka alone."""
    found: dict[str, list[Latency]] = {name: [] for name in _MORE}
    with pushing_kinesis() as kinesis:
        for _ in range(repeat):
            for name, rounds in found.items():
                rounds.append(await _try_out(name, replace(servers, kinesis=kinesis)))
    return found


async def _try_out(name: str, servers: Servers) -> Latency:
    with (
        tempfile.TemporaryDirectory(prefix="kmbridge-bench-") as folder,
        new_topic(servers.kafka) as topic,
        new_stream(servers.kinesis, SHARDS) as stream,
    ):
        more = {"name": topic, **_MORE[name]}
        mirror = MirrorProcess(
            Path(folder), StreamEnd(servers.kinesis, stream).section, TopicEnd(servers.kafka, topic).section, more
        )
        flow, follower = Flow(servers.kinesis, stream, RATE), Follower()
        async with mirror, follower.following(servers.kafka, topic):
            async with flow.running():
                await asyncio.sleep(_WARM_S + MEASURED_S)
            await all_arrived(flow, follower)
        since_ns = flow.begun_ns + _WARM_S * 1e9
        return Latency.of([(here - sent) / 1e6 for sent, here in follower.times.values() if sent >= since_ns])


def as_json(found: dict[str, list[Latency]]) -> dict[str, Any]:
    return {name: _medians(rounds) for name, rounds in found.items()}


def as_text(found: dict[str, list[Latency]]) -> str:
    rows = [SETTING, f"{'':<24}{'p50':>8}{'p99':>8}{'worst':>8}"]
    for name, rounds in found.items():
        figures = _medians(rounds)
        rows.append(f"{name:<24}{figures['p50']:>8.0f}{figures['p99']:>8.0f}{figures['worst']:>8.0f}")
    for name, aim in AIMS.items():
        rows.append(f"{name}, {aim}: {'reached' if aim.reached_by(_medians(found[name])) else 'missed'}")
    return "\n".join(rows)


def _medians(rounds: Sequence[Latency]) -> dict[str, float]:
    return {
        "p50": median(each.p50 for each in rounds),
        "p99": median(each.p99 for each in rounds),
        "worst": max(each.worst for each in rounds),
    }
