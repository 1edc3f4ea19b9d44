"""How fast ``kmbridge verify`` compares what a mirror wrote, in both directions."""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import load
from bench.load import PARTITIONS, SHARDS
from bench.mirror import READ_SHARE
from bench.process import TrialError
from bench.rounds import say
from bench.servers import Servers
from bench.to_kinesis import load as topic_load
from bench.trial import new_stream, new_topic
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.mirror_process import MirrorProcess
from tests.support.verifying import Verified, verified

SETTING = (
    f"records of 1 KB, half of them random, {SHARDS} shards, {PARTITIONS} partitions, mirrored with their origins and "
    "found equal;\na record counts once, though it is read at both ends; by the whole command, CPU less that for "
    "40 records"
)
_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Speed:
    records_per_second: float
    cpu_s_per_million: float
    peak_mb: float


async def measure(servers: Servers, records: int, keys: int, repeat: int) -> Mapping[str, Sequence[Speed]]:
    """``repeat`` comparisons in each direction. Raises ``TrialError`` where one finds a difference."""
    found: dict[str, list[Speed]] = {}
    for direction, compared in {"into Kafka": _into_kafka, "into Kinesis": _into_kinesis}.items():
        few = await compared(servers, load.SAMPLE, load.SAMPLE, 1)
        for number, (verdict, elapsed_s) in enumerate(await compared(servers, records, keys, repeat)):
            cpu_s = verdict.cpu_s - few[0][0].cpu_s
            speed = Speed(records / elapsed_s, cpu_s / records * 1e6, verdict.peak / 1e6)
            found.setdefault(direction, []).append(speed)
            say(f"{direction}, {number + 1}: {speed.records_per_second:,.0f} records/s, {cpu_s:.2f} s of CPU")
    return found


async def _into_kafka(servers: Servers, records: int, keys: int, repeat: int) -> list[tuple[Verified, float]]:
    filled = await asyncio.to_thread(load.fill, servers.kinesis, records, keys)
    with new_topic(servers.kafka) as topic:
        source, sink = StreamEnd(servers.kinesis, filled.stream), TopicEnd(servers.kafka, topic)
        return await _compared(source, sink, {"source": {"kinesis": {"read_share": READ_SHARE}}}, records, repeat)


async def _into_kinesis(servers: Servers, records: int, keys: int, repeat: int) -> list[tuple[Verified, float]]:
    filled = await asyncio.to_thread(topic_load.random_load, servers.kafka, records, keys)
    with new_stream(servers.kinesis, SHARDS) as stream:
        source, sink = TopicEnd(servers.kafka, filled.topic), StreamEnd(servers.kinesis, stream)
        return await _compared(source, sink, {}, records, repeat)


async def _compared(
    source: End, sink: End, more: Mapping[str, Any], records: int, repeat: int
) -> list[tuple[Verified, float]]:
    """Mirror once, then compare as often as is asked for: what each found, and how long it took."""
    found: list[tuple[Verified, float]] = []
    with tempfile.TemporaryDirectory(prefix="kmbridge-bench-") as folder:
        async with MirrorProcess(Path(folder), source.section, sink.section, more) as mirror:
            await mirror.until_written(records, _PATIENCE_S)
            await mirror.stop()
        for _ in range(repeat):
            begun_s = time.monotonic()
            verdict = await verified(mirror.config)
            found.append((verdict, time.monotonic() - begun_s))
            if verdict.code or verdict.document["sink_records"] != records:
                raise TrialError(f"not equal: {json.dumps(verdict.document)} {verdict.printed}")
    return found


def as_json(found: Mapping[str, Sequence[Speed]]) -> dict[str, Any]:
    return {direction: [asdict(each) for each in rounds] for direction, rounds in found.items()}


def as_text(found: Mapping[str, Sequence[Speed]]) -> str:
    rows = [SETTING, f"{'':<14}{'records/s':>12}{'CPU s/M':>10}{'peak MB':>10}"]
    for direction, rounds in found.items():
        rate, cpu_s = (
            _median(rounds, lambda each: each.records_per_second),
            _median(rounds, lambda each: each.cpu_s_per_million),
        )
        peak = max(each.peak_mb for each in rounds)
        rows.append(f"{direction:<14}{rate:>12,.0f}{cpu_s:>10.1f}{peak:>10.0f}")
    return "\n".join(rows)


def _median(rounds: Sequence[Speed], figure: Callable[[Speed], float]) -> float:
    return median(map(figure, rounds))
