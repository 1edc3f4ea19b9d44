"""Dead letters sent again, as an operator does it once the topic takes larger records."""

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.config import load
from bridge.errors import UsageError
from bridge.jobs.redrive import Redrive
from bridge.jobs.redrive_report import RedriveReport
from bridge.jobs.redrive_request import RedriveRequest
from bridge.jobs.span import point
from tests.connectors.kafka.sending import alter_topic
from tests.support.command import run_command
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.kafka_reader import ids_by_key
from tests.support.mirror_process import MirrorProcess
from tests.support.records import TestRecord, generate
from tests.support.route import RouteFactory
from tests.support.verifying import verified

pytestmark = [pytest.mark.broker, pytest.mark.kinesis]

KEYS = 5
FAILED = 1


async def _redriven(mirror: MirrorProcess, since: str | None = None) -> RedriveReport:
    asked = await asyncio.to_thread(load, [str(mirror.config)], environment=os.environ)
    return await Redrive(asked, RedriveRequest(None if since is None else point("--from", [since]))).run()


def _sent() -> tuple[list[TestRecord], list[TestRecord]]:
    """Records of which some are large, in turn; the large ones."""
    small = generate(60, KEYS, seed=1)
    large = iter(list(generate(12, KEYS, seed=2, size=5_000)))
    sent: list[TestRecord] = []
    for number, record in enumerate(small):
        sent.append(replace(record, id=len(sent)))
        if number % 5 == 0:
            sent.append(replace(next(large), id=len(sent)))
    return sent, [record for record in sent if len(record.filler) > 2_000]


@pytest.mark.parametrize(
    "kind", ["kafka", *(pytest.param(each, marks=pytest.mark.long) for each in ("file", "kinesis"))]
)
async def test_letters_are_sent_again_once_in_the_order_of_each_key(
    route: RouteFactory, topic: TopicFactory, stream: StreamFactory, tmp_path: Path, kind: str
) -> None:
    """What is refused again stays a letter, and is tried by the next redrive; after that nothing is left to do."""
    path = route(shards=2, config={"max.message.bytes": "2000"})
    letters: dict[str, dict[str, Any]] = {
        "kafka": {"kafka": {"topic": topic(2)}},
        "file": {"file": {"path": str(tmp_path / "letters.jsonl")}},
        "kinesis": {"kinesis": {"stream": stream(2)}},
    }
    own = {"checkpoints": None} if kind == "kafka" else {}
    more = {"name": path.topic, "on_error": "dead_letter", "dead_letter": letters[kind], **own}
    sent, large = _sent()
    async with path.mirror(more) as mirror:
        await path.write(sent)
        await mirror.until_metric("kmbridge_dead_letter_records_total", len(large))
        await path.until_arrived(len(sent) - len(large))
        refused = await run_command("redrive", mirror.config, "--json")
        assert refused.code == FAILED, refused.err
        assert refused.out, refused.err
        told = json.loads(refused.out)
        assert (told["sent"], sum(told["refused"].values())) == (0, len(large))
        await asyncio.to_thread(alter_topic, path.kafka, path.topic, {"max.message.bytes": "1000000"})
        redriven = await _redriven(mirror)
        assert (redriven.sent, redriven.refused, redriven.is_complete) == (len(large), {}, True)
        assert (await _redriven(mirror)).was_nothing
        with pytest.raises(UsageError, match="no partition nowhere"):
            await _redriven(mirror, "nowhere/1")
        assert (await _redriven(mirror)).was_nothing, "what is refused forgets nothing"
        assert await mirror.stop() == 0
    found = [record for record in await path.records() if len(record.value or b"") > 2_000]
    assert ids_by_key(found) == _ids(large)
    assert all((dict(record.headers)["kmbridge-replay"] or b"").startswith(b"redrive-") for record in found)
    verdict = await verified(mirror.config)
    assert (verdict.code, verdict.found) == (0, {}), verdict.printed


def _ids(records: list[TestRecord]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = {}
    for record in records:
        found.setdefault(record.key.encode(), []).append(record.id)
    return found
