"""``kmbridge lane`` as its operator has it: on a mirror that runs, with nothing lost but what was named."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.control.client import ControlClient
from bridge.control.order import Action, Answer
from bridge.telemetry.endpoint import Endpoint
from tests.support import topics
from tests.support.checker import check_exact
from tests.support.command import Finished, run_command
from tests.support.ends import TopicEnd
from tests.support.factories import TopicFactory
from tests.support.kinesis_api import put_one
from tests.support.mirror_process import MirrorProcess, Status
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory
from tests.support.verifying import verified
from tests.support.way import Way

pytestmark = [pytest.mark.broker, pytest.mark.kinesis]

LANE = "shardId-000000000000"
FAILED, WRONG_USAGE, ENDPOINT = 1, 2, 3


async def _told(mirror: MirrorProcess, action: str, lane: str, *options: str) -> Mapping[str, Any]:
    """The answer to an order that is carried out, from the command."""
    finished = await _lane(mirror, action, lane, *options)
    assert finished.code == 0, finished.err
    answer: Mapping[str, Any] = json.loads(finished.out)
    return answer


async def _asked(mirror: MirrorProcess, action: Action, lane: str, name: str) -> Answer:
    """As the command does it, without a process of its own."""
    return await ControlClient(Endpoint(mirror.url, None)).send(name, action, lane, "test", None)


async def _lane(mirror: MirrorProcess, action: str, lane: str, *options: str) -> Finished:
    return await run_command("lane", action, mirror.config, lane, "--json", *options)


def _state(status: Status, lane: str) -> str:
    return next((str(each["state"]) for each in status["lanes"] if each["partition"] == lane), "")


async def test_a_lane_is_paused_and_resumed_under_load_across_a_restart(route: RouteFactory, seed: int) -> None:
    """Every record comes once and in order; the pause is still there after the restart, and says since when."""
    path = route(shards=2)
    sent = list(generate(6_000, 50, seed=seed))
    async with path.mirror() as mirror:
        writing = asyncio.create_task(path.write(sent))
        await mirror.until_written(500)
        paused = await _told(mirror, "pause", LANE)
        assert (paused["state"], paused["stored"]) == ("paused", True)
        await writing
        assert await mirror.stop() == 0
        mirror.start()
        await mirror.ready()
        await mirror.until(lambda status: _state(status, LANE) == "paused", "the lane is paused again")
        resumed = await _told(mirror, "resume", LANE)
        assert resumed["before"] == paused["after"]
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
        assert "(unverified) from 127.0.0.1" in mirror.printed()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def test_a_record_that_the_topic_refuses_is_passed_and_named(route: RouteFactory, seed: int) -> None:
    """The checkpoint keeps it and metrics count it. To verify it is skipped, and missing to one without checkpoints."""
    path = route(shards=2, config={"max.message.bytes": "20000"})
    sent = list(generate(400, 20, seed=seed))
    async with path.mirror() as mirror:
        await path.write(sent[:200])
        shard = await put_one(path.kinesis, path.stream, "poison", b"x" * 100_000)
        await mirror.until(lambda status: _state(status, shard) == "failed", "the lane has stopped")
        await path.write(sent[200:])
        skipped = (await _told(mirror, "skip", shard))["skipped"]
        assert skipped["records"] == 1
        assert skipped["from"] == skipped["to"]
        assert skipped["origin"].endswith(f"{path.stream}/{shard}/{skipped['from']}")
        await path.until_arrived(len(sent))
        assert await mirror.metric("kmbridge_skipped_records_total", reason="operator") == 1
        assert await mirror.metric("kmbridge_gaps_total") == 1
        assert await mirror.stop() == 0
        (gap,) = (await mirror.checkpoints())[shard].gaps
        assert (gap.lost_from, gap.lost_to, gap.records) == (skipped["from"], skipped["to"], 1)
    told = await verified(mirror.config)
    assert (told.code, told.found, told.document["left_out"]) == (0, {}, {"skipped": 1})
    (path.folder / "no-checkpoints").write_text("no database")
    found = await verified(mirror.config, "--set", f"checkpoints.sqlite.path={path.folder / 'no-checkpoints'}")
    assert found.found == {"missing": 1}
    assert "what an operator skipped is missing" in found.printed
    (missing,) = found.document["differences"]["missing"]["first"]
    assert missing.endswith(f"{shard}/{skipped['from']}")


async def test_a_gap_is_passed_and_a_lane_that_runs_well_is_not(
    kafka: str, topic: TopicFactory, tmp_path: Path, seed: int
) -> None:
    """Records that expired while the lane was paused: it stops there, says which, and goes on when told to."""
    path = Way(tmp_path, TopicEnd(kafka, topic(2)), TopicEnd(kafka, topic(2)))
    sent = list(generate(400, 20, seed=seed))
    async with path.mirror() as mirror:
        await path.write(sent[:200])
        await mirror.until_written(200)
        before = await _asked(mirror, Action.PAUSE, "0", "mirror")
        await path.write(sent[200:])
        lost = int(before.after or "") + 11
        await asyncio.to_thread(topics.delete_records, kafka, path.source.name, {0: lost})
        await _asked(mirror, Action.RESUME, "0", "mirror")
        await mirror.until(lambda status: _state(status, "0") == "failed", "the lane has stopped")
        skipped = (await _told(mirror, "skip", "0"))["skipped"]
        assert (skipped["from"], skipped["to"], skipped["records"]) == (
            str(int(before.after or "") + 1),
            str(lost - 1),
            None,
        )
        await path.until_arrived(len(sent) - 10)
        refused = await _lane(mirror, "skip", "0")
        assert refused.code == FAILED
        assert "--until says how far" in refused.err
        mistaken = await _lane(mirror, "skip", "0", "--until", "5#3")
        assert mistaken.code == WRONG_USAGE
        assert _state(await mirror.status(), "0") == "running"
        assert await mirror.stop() == 0
    stopped = await _lane(mirror, "pause", "0")
    assert stopped.code == ENDPOINT
    assert "kmbridge checkpoints set" in stopped.err


async def test_a_lane_of_a_backfill_takes_orders(route: RouteFactory, seed: int) -> None:
    """The job waits for one that is paused when the others are done, and copies all once that is resumed."""
    path = route(shards=2)
    async with path.mirror() as mirror:
        await _asked(mirror, Action.PAUSE, LANE, "mirror")
        assert await mirror.stop() == 0
    await path.write(list(generate(200, 20, seed=seed)))
    async with mirror.running("backfill"):
        await mirror.until(
            lambda status: sorted(each["state"] for each in status["lanes"]) == ["complete", "paused"],
            "the other lane is done",
        )
        assert (await _asked(mirror, Action.RESUME, LANE, "mirror")).state != "paused"
        assert await mirror.ended() == 0
    await path.until_arrived(200)


async def test_an_order_reaches_the_worker_that_has_the_lane(
    kafka: str, topic: TopicFactory, tmp_path: Path, seed: int
) -> None:
    """Through the endpoint of their supervisor, and back."""
    path = Way(tmp_path, TopicEnd(kafka, topic(4)), TopicEnd(kafka, topic(4)))
    lanes = [str(number) for number in range(4)]
    sent = list(generate(800, 40, seed=seed))
    pair = path.mirror({"name": path.sink.name, "checkpoints": None, "workers": {"session_timeout": "2s"}})
    async with pair.running("run", "--workers", "2"):
        await pair.ready()
        # Whoever comes second takes lanes over from the first.
        await pair.until_printed("slots assigned", times=2)
        await pair.until(
            lambda status: [each["state"] for each in status["lanes"]] == ["running"] * len(lanes),
            "every lane is with a worker",
        )
        for lane in lanes:
            assert (await _asked(pair, Action.PAUSE, lane, path.sink.name)).state == "paused"
        await path.write(sent)
        for lane in lanes:
            await _asked(pair, Action.RESUME, lane, path.sink.name)
        await path.until_arrived(len(sent))
        unknown = await _lane(pair, "pause", "7")
        assert unknown.code == FAILED
        assert "no worker of this process has it" in unknown.err
        assert await pair.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
