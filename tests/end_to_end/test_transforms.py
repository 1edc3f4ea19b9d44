"""Records are dropped, split and changed on their way by a function of the user's, over real servers."""

import asyncio
import os
import sys
from pathlib import Path
from random import Random

import pytest

from bridge.config import load
from bridge.jobs.redrive import Redrive
from bridge.jobs.redrive_request import RedriveRequest
from tests.support.checker import check_exact
from tests.support.ends import End
from tests.support.factories import TopicFactory
from tests.support.mirror_process import MirrorProcess
from tests.support.record_functions import is_left_out
from tests.support.records import TestRecord, generate
from tests.support.route import RouteFactory
from tests.support.transforming import TEXT, count, made, steps
from tests.support.verifying import verified
from tests.support.way import IntoKinesisFactory, Way

pytestmark = [pytest.mark.broker, pytest.mark.kinesis]

KEYS = 50
SIZE = 400


async def assert_verified(mirror: MirrorProcess, sent: list[TestRecord]) -> None:
    """Both sides are equal by identity and order, and what is not there, or there more than once, is explained."""
    verdict = await verified(mirror.config)
    assert (verdict.code, verdict.found) == (0, {}), verdict.printed
    dropped = sum(is_left_out(record.id) for record in sent)
    found = verdict.document
    assert (found["left_out"], found["source_records"]) == ({"dropped": dropped}, len(sent) - dropped)
    assert found["parts"] == count(made(sent)) - (len(sent) - dropped)


async def written_between_kills(
    path: Way[End, End], mirror: MirrorProcess, sent: list[TestRecord], share: int, draw: Random
) -> None:
    """``share`` after share: the mirror is killed in the midst of each but the last, and started again."""
    *before, last = (sent[first : first + share] for first in range(0, len(sent), share))
    for number, part in enumerate(before):
        writing = asyncio.create_task(path.write(part))
        await path.until_arrived(count(made(sent[: number * share])) + draw.randrange(1, share // 2))
        await mirror.kill()
        await writing
        mirror.start()
    await path.write(last)


@pytest.mark.parametrize(
    ("share", "kills"),
    [pytest.param(800, 1, id="small"), pytest.param(10_000, 20, id="full", marks=pytest.mark.long)],
)
async def test_a_killed_mirror_into_a_topic_makes_of_each_record_what_it_should_once(
    route: RouteFactory, seed: int, draw: Random, share: int, kills: int
) -> None:
    """Exactly once, also of the parts of a record; verify accounts for what was dropped and split."""
    path = route(shards=3)
    sent = list(generate(share * (kills + 1), KEYS, seed=seed, size=SIZE))
    async with path.mirror({**steps(), "checkpoints": None, "name": path.topic}) as mirror:
        await written_between_kills(path, mirror, sent, share, draw)
        await path.until_committed(count(made(sent)))
        assert await mirror.stop() == 0
    verdict = check_exact(made(sent), await path.ids_by_key())
    assert verdict.ok, verdict
    await assert_verified(mirror, sent)


@pytest.mark.parametrize(
    ("share", "kills"),
    [pytest.param(800, 1, id="small"), pytest.param(10_000, 20, id="full", marks=pytest.mark.long)],
)
async def test_a_killed_mirror_into_a_stream_doubles_no_part(
    into_kinesis: IntoKinesisFactory, seed: int, draw: Random, share: int, kills: int
) -> None:
    """The next life finds in the stream which parts of which record are there, and writes the others."""
    path = into_kinesis()
    sent = list(generate(share * (kills + 1), KEYS, seed=seed, size=SIZE))
    # So rarely that a life never stores what it has written.
    async with path.mirror({**steps(), "checkpoint_interval": "30s"}) as mirror:
        await written_between_kills(path, mirror, sent, share, draw)
        await path.until_arrived(count(made(sent)))
        assert await mirror.stop() == 0
    verdict = check_exact(made(sent), await path.ids_by_key())
    assert verdict.ok, verdict
    await assert_verified(mirror, sent)


async def test_letters_of_a_function_with_a_mistake_are_sent_again_through_the_mended_one(
    route: RouteFactory, topic: TopicFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hold what was read, so that each goes through the function again, once."""
    path = route(shards=2)
    sent = list(generate(60, 5, size=SIZE))
    broken = [record for record in sent if record.id % 11 == 5]
    mine = tmp_path / "mine.py"
    mine.write_text(TEXT)
    letters = {"on_error": "dead_letter", "dead_letter": {"kafka": {"topic": topic(2)}}}
    function = {"transforms": [{"python": "mine:parted_with_a_mistake", "path": str(tmp_path)}]}
    async with path.mirror({**function, **letters, "checkpoints": None, "name": path.topic}) as mirror:
        await path.write(sent)
        await mirror.until_metric("kmbridge_dead_letter_records_total", len(broken))
        await path.until_committed(count(made(record for record in sent if record not in broken)))
        assert await mirror.metric("kmbridge_skipped_records_total", reason="filter") > 0
        assert await mirror.metric("kmbridge_transform_seconds_total") > 0
        assert await mirror.stop() == 0
    monkeypatch.setattr("sys.path", list(sys.path))
    mine.write_text(TEXT.replace('raise ValueError("a mistake")', "pass"))
    asked = await asyncio.to_thread(load, [str(mirror.config)], environment=os.environ)
    redriven = await Redrive(asked, RedriveRequest()).run()
    assert (redriven.is_complete, redriven.refused) == (True, {})
    found = await path.ids_by_key()
    assert {key: sorted(ids) for key, ids in found.items()} == {key: sorted(ids) for key, ids in made(sent).items()}
    verdict = await verified(mirror.config)
    assert (verdict.code, verdict.found) == (0, {}), verdict.printed
