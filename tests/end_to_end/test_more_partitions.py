"""A sink's topic that has got more partitions, and the way on."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support import topics
from tests.support.command import run_command
from tests.support.ends import TopicEnd
from tests.support.factories import TopicFactory
from tests.support.records import Stamp, generate
from tests.support.verifying import verified
from tests.support.way import Way

pytestmark = pytest.mark.broker

KEYS = 30
FAILED = 1


async def test_after_a_drain_keys_move_once_and_each_half_is_in_order(
    kafka: str, topic: TopicFactory, tmp_path: Path, seed: int
) -> None:
    """Refused until it is accepted; what comes later than the drain is where the new number puts it, all of it."""
    path = Way(tmp_path, TopicEnd(kafka, topic(2)), TopicEnd(kafka, topic(2)))
    sent = list(generate(400, KEYS, seed=seed))
    mirror = path.mirror({"name": path.sink.name, "checkpoints": None})
    async with mirror:
        await path.write(sent[:200])
        await path.until_arrived(200)
        assert await mirror.stop() == 0
        await asyncio.to_thread(topics.add_partitions, kafka, path.sink.name, 3)
        mirror.start()
        assert await mirror.ended() == FAILED
        assert "kmbridge checkpoints accept" in mirror.printed()
        accepted = await run_command("checkpoints", "accept", mirror.config, "--json")
        assert accepted.code == 0, accepted.err
        assert len(json.loads(accepted.out)["accepted"]) == 2
        mirror.start()
        await mirror.ready()
        await path.write(sent[200:])
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    homes: dict[bytes | None, list[tuple[int, int]]] = defaultdict(list)
    for record in await path.sink.records():
        homes[record.key].append((Stamp.of(record.value or b"").id, record.partition))
    for found in homes.values():
        before = [(each, partition) for each, partition in found if each < 200]
        after = [(each, partition) for each, partition in found if each >= 200]
        for half in (before, after):
            assert [each for each, _ in half] == sorted(each for each, _ in half)
            assert len({partition for _, partition in half}) <= 1
    assert {partition for found in homes.values() for each, partition in found if each >= 200} == {0, 1, 2}
    verdict = await verified(mirror.config)
    assert (verdict.code, verdict.found) == (0, {}), verdict.printed
