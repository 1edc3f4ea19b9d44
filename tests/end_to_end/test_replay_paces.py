"""How fast a replay is, told by the times at which the broker took the records."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.command import run_command
from tests.support.ends import TopicEnd
from tests.support.factories import Figure, TopicFactory
from tests.support.kafka_reader import TopicRecord
from tests.support.records import generate
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.way import Way

KEYS = 100
PER_S = 500
WINDOW_S = 10
SECONDS = [pytest.param(1, id="small"), pytest.param(60, id="full", marks=[pytest.mark.long, pytest.mark.timeout(300)])]


@pytest.fixture
def way(kafka: str, topic: TopicFactory, tmp_path: Path) -> Way[TopicEnd, TopicEnd]:
    """Into a topic whose records have the time of their arrival."""
    sink = TopicEnd(kafka, topic(4, {"message.timestamp.type": "LogAppendTime"}))
    return Way(tmp_path, TopicEnd(kafka, topic(4)), sink)


async def replayed(way: Way[Any, Any], *options: str, timeout_s: float) -> list[TopicRecord]:
    """What is in the sink after a replay of all with ``options``."""
    done = await run_command(
        "replay", way.mirror().config, "--json", "--from", "trim_horizon", *options, timeout_s=timeout_s
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["complete"]
    records: list[TopicRecord] = await way.sink.records()
    return records


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("option", ["--rate", "--set"])
async def test_a_rate_is_kept(
    way: Way[TopicEnd, TopicEnd], seed: int, figure: Figure, *, seconds: int, option: str
) -> None:
    """500 a second, within 5 % over any ten seconds of a minute, whether the command or the configuration asks."""
    await way.write(generate(PER_S * seconds, KEYS, seed=seed))
    asked = f"{PER_S}/s" if option == "--rate" else f"limits.records_per_second={PER_S}"
    records = await replayed(way, option, asked, timeout_s=seconds + 60)
    assert len(records) == PER_S * seconds
    if seconds > WINDOW_S:
        counts = _in_windows([record.timestamp_ms for record in records])
        figure("records in ten seconds", f"{min(counts)} to {max(counts)}")
        assert min(counts) >= PER_S * WINDOW_S * 0.95
        assert max(counts) <= PER_S * WINDOW_S * 1.05


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("speed", [1, 2])
async def test_spacing_is_kept(
    way: Way[TopicEnd, TopicEnd], draw: Random, figure: Figure, *, seconds: int, speed: int
) -> None:
    """Bursts and pauses of all partitions come as they were, or twice as fast, within 50 ms."""
    first_ms = time.time_ns() // 1_000_000 - 3_600_000
    offsets = sorted({0, *(round(draw.triangular(0, seconds * 1_000, 0)) for _ in range(seconds * 20))})
    sent = [TopicMessage(b"%d" % draw.randrange(KEYS), b"%d" % each, timestamp_ms=first_ms + each) for each in offsets]
    write_topic(way.source.address, way.source.name, sent)
    records = await replayed(way, "--speed", str(speed), timeout_s=seconds + 60)
    assert sorted(int(record.value or b"") for record in records) == offsets
    if seconds > WINDOW_S:
        late = [record.timestamp_ms - int(record.value or b"") / speed for record in records]
        figure("spacing", f"within {max(late) - min(late):.0f} ms")
        assert max(late) - min(late) <= 50


def _in_windows(times_ms: Sequence[int]) -> list[int]:
    """How many there are in each ten seconds, in steps of one second, from first to last."""
    begin, end = min(times_ms), max(times_ms)
    length = WINDOW_S * 1_000
    return [sum(at <= time < at + length for time in times_ms) for at in range(begin, end - length, 1_000)]
