"""``kmbridge verify`` after a real mirror: what it proves, and what it tells apart."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import COMMAND
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.records import generate
from tests.support.way import Way

KEYS = 50


async def verified(config: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code of ``kmbridge verify`` and its document."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "verify",
        str(config),
        "--json",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    sys.stdout.write(err.decode())
    assert process.returncode is not None
    return process.returncode, json.loads(out) if out else {}


@pytest.fixture
def ends(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> dict[str, tuple[End, End]]:
    """Each pair of systems by its name."""

    def a_stream() -> StreamEnd:
        return StreamEnd(kinesis, stream(3))

    def a_topic() -> TopicEnd:
        return TopicEnd(kafka, topic(4))

    return {
        "kinesis to kafka": (a_stream(), a_topic()),
        "kafka to kinesis": (a_topic(), a_stream()),
        "kafka to kafka": (a_topic(), a_topic()),
        "kinesis to kinesis": (a_stream(), a_stream()),
    }


@pytest.mark.parametrize("pair", ["kinesis to kafka", "kafka to kinesis", "kafka to kafka", "kinesis to kinesis"])
async def test_what_a_mirror_wrote_is_equal(ends: dict[str, tuple[End, End]], tmp_path: Path, pair: str) -> None:
    """Every pair of systems is compared by origin, and nothing is found."""
    source, sink = ends[pair]
    way = Way(tmp_path, source, sink)
    sent = list(generate(2_000, KEYS))
    async with way.mirror() as mirror:
        await way.write(sent)
        await way.until_arrived(len(sent))
        assert await mirror.stop() == 0
        code, found = await verified(mirror.config)
    assert (code, found["equal"], found["source_records"], found["sink_records"]) == (0, True, 2_000, 2_000)
    assert found["ranges_reread"] == 0
