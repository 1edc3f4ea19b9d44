"""How long a record takes from its sender to a consumer, at a moderate rate."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.flow import Flow, Follower, all_arrived
from bench.load import SHARDS
from bench.servers import Servers
from bench.trial import new_stream, new_topic
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.mirror_process import MirrorProcess

RATE = 1_000
MEASURED_S = 20.0
P99_TARGET_MS = 400.0
"""For exactly once."""
SETTING = (
    f"{RATE} records/s over {SHARDS} shards for {MEASURED_S:g} s: milliseconds from the sender's call until a consumer "
    "of committed\nrecords has them; up to 200 of these pass until a shard is read again, as AWS's limits are kept"
)
_WARM_S = 5.0
AT_LEAST_ONCE = "at least once"
EXACTLY_ONCE = "exactly once"
_MORE = {AT_LEAST_ONCE: {}, EXACTLY_ONCE: {"checkpoints": "auto", "sink": {"kafka": {"delivery": "exactly_once"}}}}


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
    """Of each delivery in turn, ``repeat`` times."""
    found: dict[str, list[Latency]] = {name: [] for name in _MORE}
    for _ in range(repeat):
        for name, rounds in found.items():
            rounds.append(await _try_out(name, servers))
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
    rows = [
        SETTING,
        f"{'':<16}{'p50':>8}{'p99':>8}{'worst':>8}",
    ]
    for name, rounds in found.items():
        figures = _medians(rounds)
        rows.append(f"{name:<16}{figures['p50']:>8.0f}{figures['p99']:>8.0f}{figures['worst']:>8.0f}")
    p99 = _medians(found[EXACTLY_ONCE])["p99"]
    verdict = "reached" if p99 < P99_TARGET_MS else "missed"
    rows.append(f"p99 with exactly once below {P99_TARGET_MS:g} ms: {verdict}")
    return "\n".join(rows)


def _medians(rounds: Sequence[Latency]) -> dict[str, float]:
    return {
        "p50": median(each.p50 for each in rounds),
        "p99": median(each.p99 for each in rounds),
        "worst": max(each.worst for each in rounds),
    }
