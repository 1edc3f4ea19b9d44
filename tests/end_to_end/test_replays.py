"""A range sent again: all of it, marked, and nothing of the mirror touched."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bridge.config import load
from bridge.jobs.replay import replay as replayed
from bridge.jobs.replay_request import ReplayRequest
from bridge.parity import verify
from bridge.parity.verification import OLDEST
from tests.support import kafka_reader, stream_reader
from tests.support.command import COMMAND, Finished, run_command
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.record_functions import is_left_out
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.transforming import count, made, steps
from tests.support.way import Way

REPLAY = "kmbridge-replay"
KEYS = 40
PAIRS = ["kinesis-kafka", "kafka-kinesis", "kafka-kafka", "kinesis-kinesis"]


@pytest.fixture
def ends(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> Mapping[str, Any]:
    return {"kinesis": lambda: StreamEnd(kinesis, stream(2)), "kafka": lambda: TopicEnd(kafka, topic(2))}


@pytest.fixture
def way(request: pytest.FixtureRequest, ends: Mapping[str, Any], tmp_path: Path) -> Way[Any, Any]:
    source, _, sink = request.param.partition("-")
    return Way(tmp_path, ends[source](), ends[sink]())


def replays(records: Sequence[Any]) -> dict[bytes | None, list[Any]]:
    """The records by the replay that sent them, None for those of the mirror."""
    found: dict[bytes | None, list[Any]] = {}
    for record in records:
        found.setdefault(dict(record.headers).get(REPLAY), []).append(record)
    return found


def ids(end: End, records: Sequence[Any]) -> dict[bytes, list[int]]:
    """Each key's ids, of those ``records`` of ``end``."""
    if isinstance(end, TopicEnd):
        return kafka_reader.ids_by_key(records)
    return stream_reader.ids_by_key(records)


async def replay(config: Path, *options: object, timeout_s: float = 60) -> tuple[Finished, Any]:
    """What the command said; the report, where it printed one."""
    done = await run_command("replay", config, "--json", *options, timeout_s=timeout_s)
    return done, json.loads(done.out) if done.out else None


def last_progress(done: Finished) -> tuple[str, int]:
    """The state and the records of the last line of progress."""
    lines = [json.loads(line) for line in done.err.splitlines() if line.startswith('{"event": "progress"')]
    return lines[-1]["state"], lines[-1]["records"]


@pytest.mark.parametrize("way", PAIRS, indirect=True)
async def test_a_replay_beside_a_running_mirror_sends_all_again(way: Way[Any, Any], seed: int) -> None:
    """In order, each with the replay's id, and it shows how far it is; the mirror goes on, its checkpoints stay."""
    sent, more = list(generate(600, KEYS, seed=seed)), list(generate(100, KEYS, seed=seed + 1))
    await way.write(sent)
    async with way.mirror() as mirror:
        await mirror.until_written(len(sent))
        done, report = await replay(mirror.config, "--from", "trim_horizon")
        assert done.code == 0, done.err
        assert report["records"] == len(sent)
        assert report["complete"]
        await way.write([TestRecord(r.id + 600, f"more-{r.key}", r.number, r.filler) for r in more])
        await mirror.until_written(len(sent) + len(more))
        assert await mirror.stop() == 0
        stored = await mirror.checkpoints()
    assert last_progress(done) == ("done", len(sent))
    found = replays(await way.sink.records())
    assert set(found) == {None, report["id"].encode()}
    assert ids(way.sink, found[report["id"].encode()]) == ids_by_key(sent)
    assert len(found[None]) == len(sent) + len(more)
    assert len(stored) == 2


@pytest.mark.parametrize("way", ["kinesis-kafka", "kafka-kinesis"], indirect=True)
async def test_a_replay_sends_exactly_its_range(way: Way[Any, Any], seed: int) -> None:
    """Both ends belong to it, and other partitions do not; the mirror never ran, and nothing is stored."""
    sent = list(generate(400, KEYS, seed=seed))
    await way.write(sent)
    records = sorted(await way.source.records(), key=_place)
    part = [record for record in records if _partition(record) == _partition(records[0])]
    first, last = part[20], part[60]
    mirror = way.mirror()
    range_ = ("--from", f"{_partition(first)}/{_position(first)}", "--until", f"{_partition(last)}/{_position(last)}")
    done, report = await replay(mirror.config, *range_)
    assert done.code == 0, done.err
    assert sorted(record.value for record in await way.sink.records()) == sorted(r.value for r in part[20:61])
    assert [(each["partition"], each["last"]) for each in report["partitions"]] == [(_partition(last), _position(last))]
    assert not mirror.database.exists()


@pytest.mark.parametrize("way", ["kinesis-kafka"], indirect=True)
async def test_a_replay_may_go_to_another_topic(way: Way[Any, Any], topic: TopicFactory, seed: int) -> None:
    """Beside the sink, which is left as it is."""
    sent = list(generate(200, KEYS, seed=seed))
    await way.write(sent)
    other = TopicEnd(way.sink.address, topic(3))
    done, report = await replay(way.mirror().config, "--from", "trim_horizon", "--to", other.name, "--rate", "1000/s")
    assert done.code == 0, done.err
    assert report["sink"].endswith(f":{other.name}")
    assert await other.ids_by_key() == ids_by_key(sent)
    assert await way.sink.records() == []


@pytest.mark.parametrize("way", ["kinesis-kafka", pytest.param("kafka-kinesis", marks=pytest.mark.long)], indirect=True)
async def test_a_replay_makes_of_records_what_the_mirror_does(
    way: Way[Any, Any], ends: Mapping[str, Any], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropped, changed and split: marked in another place, invisible in the mirror's, whose checkpoints stay."""
    sent = list(generate(210, KEYS, seed=seed))
    await way.write(sent)
    other = ends["kafka" if isinstance(way.sink, TopicEnd) else "kinesis"]()
    async with way.mirror(steps()) as mirror:
        await way.until_arrived(count(made(sent)))
        assert await mirror.stop() == 0
    stored = await mirror.checkpoints()
    monkeypatch.setattr("sys.path", list(sys.path))
    asked = await asyncio.to_thread(load, [str(mirror.config)], environment=os.environ)
    reports = [await replayed(asked, ReplayRequest(OLDEST, to=place)) for place in (None, other.name)]
    dropped = sum(is_left_out(each.id) for each in sent)
    assert [(each.is_complete, each.records, each.skipped) for each in reports] == [
        (True, count(made(sent)), {"filter": dropped})
    ] * 2
    found = {**replays(await way.sink.records()), **replays(await other.records())}
    assert {replay_id: ids(way.sink, records) for replay_id, records in found.items()} == dict.fromkeys(
        (None, *(each.id.encode() for each in reports)), made(sent)
    )
    parity = await verify(asked)
    assert parity.equal, parity.rows()
    assert parity.left_out == {"dropped": dropped, "replayed_in_sink": count(made(sent))}
    assert await mirror.checkpoints() == stored


async def test_records_too_old_for_the_target_are_sent_with_the_time_of_sending(
    kafka: str, topic: TopicFactory, tmp_path: Path
) -> None:
    """Or not at all: with their own times the replay is refused before the first, and the way around it is named."""
    way = Way(tmp_path, TopicEnd(kafka, topic(1, {"retention.ms": "-1"})), TopicEnd(kafka, topic(1)))
    write_topic(kafka, way.source.name, [TopicMessage(b"k", b"v", timestamp_ms=1_600_000_000_000)])
    config, young = way.mirror().config, topic(1, {"retention.ms": "86400000"})
    done, _ = await replay(config, "--from", "trim_horizon", "--to", young)
    assert done.code == 2
    assert "retention.ms" in done.err
    assert "--timestamps now" in done.err
    done, _ = await replay(config, "--from", "trim_horizon", "--to", young, "--timestamps", "now")
    assert done.code == 0, done.err
    assert [record.value for record in await TopicEnd(kafka, young).records()] == [b"v"]


@pytest.mark.parametrize("way", ["kinesis-kafka", "kafka-kinesis"], indirect=True)
async def test_a_mirror_back_skips_what_was_replayed(way: Way[Any, Any], seed: int) -> None:
    """It came from there, whoever sent it: nothing comes round."""
    sent = list(generate(200, KEYS, seed=seed))
    await way.write(sent)
    done, _ = await replay(way.mirror().config, "--from", "trim_horizon")
    assert done.code == 0, done.err
    back = Way(way.folder / "back", way.sink, way.source)
    async with back.mirror() as mirror:
        await mirror.until_metric("kmbridge_skipped_records_total", len(sent))
        assert await mirror.metric("kmbridge_skipped_records_total", reason="loop") == len(sent)
        assert await mirror.stop() == 0
    assert await way.source.ids_by_key() == ids_by_key(sent)


@pytest.mark.parametrize("way", ["kinesis-kafka", "kafka-kinesis"], indirect=True)
async def test_a_replay_that_is_stopped_says_how_far_it_came(way: Way[Any, Any], seed: int) -> None:
    """All up to the positions that it names is there; from them on the rest can be sent."""
    sent = list(generate(2_000, KEYS, seed=seed))
    await way.write(sent)
    config = way.mirror().config
    report = await _stopped(config, way.sink)
    assert not report["complete"]
    assert len(report["rest"]) == 2
    assert len(await way.sink.records()) == report["records"]
    rest = [option for each in report["rest"] for option in ("--from", each)]
    done, following = await replay(config, *rest)
    assert done.code == 0, done.err
    assert report["records"] + following["records"] == len(sent) + 2
    assert {i for each in (await way.sink.ids_by_key()).values() for i in each} == set(range(len(sent)))


async def _stopped(config: Path, sink: End) -> Any:
    """The report of a slow replay that a signal ends in its midst."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("replay", str(config), "--json", "--from", "trim_horizon", "--rate", "200/s"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await sink.until_arrived(200)
    process.send_signal(signal.SIGTERM)
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    return json.loads(out)


def _partition(record: Any) -> str:
    return str(record.partition) if hasattr(record, "partition") else record.shard


def _place(record: Any) -> tuple[str, int]:
    return _partition(record), record.offset if hasattr(record, "offset") else record.sequence


def _position(record: Any) -> str:
    return str(_place(record)[1])
