"""An application's dual writes, between real servers."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bridge.migration.dual_write import DualWriter, DualWriteSettings, Written
from connectors import dual_write_id
from connectors.base import DUAL_WRITE_HEADER
from tests.support.dual_application import Asked, DualApplication, Place
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.kafka_reader import TopicRecord
from tests.support.kinesis_api import REGION
from tests.support.kinesis_proxy import Call, Fault, Judge, KinesisProxy
from tests.support.records import Stamp, TestRecord, generate, ids_by_key
from tests.support.stream_reader import StreamRecord
from tests.support.verifying import verified, written

PAIRS = ["kafka to kinesis", "kinesis to kafka", "kafka to kafka", "kinesis to kinesis"]


async def send(writer: DualWriter, record: TestRecord) -> Written:
    return await writer.send(record.key.encode(), record.value(0), headers=[("number", b"%d" % record.number)])


class Ends:
    def __init__(self, kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> None:
        self._kinesis, self._kafka, self._stream, self._topic = kinesis, kafka, stream, topic

    def pair(self, name: str) -> tuple[End, End]:
        first, _, second = name.partition(" to ")
        return self._made(first), self._made(second)

    def _made(self, system: str) -> End:
        if system == "kinesis":
            return StreamEnd(self._kinesis, self._stream(3))
        return TopicEnd(self._kafka, self._topic(4))


@pytest.fixture
def ends(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> Ends:
    return Ends(kinesis, kafka, stream, topic)


@pytest.mark.parametrize("pair", PAIRS)
async def test_both_ends_hold_the_same(ends: Ends, tmp_path: Path, pair: str) -> None:
    """Each record is at the place that ``send`` returned, each key in order at both ends, and verify says so."""
    authority, shadow = ends.pair(pair)
    settings = DualWriteSettings(
        "orders", Place.of(authority).target(), Place.of(shadow).target(), tmp_path / "spool.db", close_s=60
    )
    sent = list(generate(2_000, 50))
    async with DualWriter(settings) as writer:
        answers = await asyncio.gather(*(send(writer, record) for record in sent))
    assert await authority.ids_by_key() == ids_by_key(sent)
    assert await shadow.ids_by_key() == ids_by_key(sent)
    told = {answer.place: (answer.id, record.id) for answer, record in zip(answers, sent, strict=True)}
    assert await at(authority) == told
    verdict = await verified(written(tmp_path, authority, shadow, {"provenance": "never"}))
    assert (verdict.code, verdict.found, verdict.document["sink_records"]) == (0, {}, len(sent))


async def at(end: End) -> dict[str, tuple[str, int]]:
    """What ``end`` holds: by place the ids of the dual write and of the record."""
    assert isinstance(end, TopicEnd | StreamEnd)
    found: dict[str, tuple[str, int]] = {}
    for record in await end.records():
        name = dict(record.headers)[DUAL_WRITE_HEADER]
        assert name is not None
        assert record.value is not None
        found[_place(record)] = (name.decode(), Stamp.of(record.value).id)
    return found


def _place(record: TopicRecord | StreamRecord) -> str:
    if isinstance(record, TopicRecord):
        return f"{record.partition}/{record.offset}"
    return f"{record.shard}/{record.sequence}#{record.sub}"


async def first_copies(end: End) -> dict[bytes, list[tuple[str, int]]]:
    """What ``end`` holds, each id once: of each key the ids of the dual write and of the record, in order."""
    assert isinstance(end, TopicEnd | StreamEnd)
    found: dict[bytes, dict[str, int]] = {}
    for record in await end.records():
        name = dict(record.headers)[DUAL_WRITE_HEADER]
        assert record.key is not None
        assert record.value is not None
        assert name is not None
        found.setdefault(record.key, {}).setdefault(name.decode(), Stamp.of(record.value).id)
    return {key: list(ids.items()) for key, ids in found.items()}


class Weather:
    """What befalls the calls that write to a shadow."""

    def __init__(self, proxy: KinesisProxy, draw: Random) -> None:
        self._proxy = proxy
        self._draw = draw

    def down(self) -> None:
        self._proxy.judge = lambda _: Fault.CUT

    def slow(self) -> None:
        self.calm()
        self._proxy.delay_s = 0.3

    def random(self) -> None:
        """A tenth of the calls fail in any way, and a twentieth of the entries in those that pass."""
        self._proxy.delay_s = 0.0
        faults = [Fault.FAILED, Fault.FAILED_AFTER, Fault.SWALLOWED, Fault.CUT, Fault.THROTTLED, Fault.CUT_ANSWER]
        self._proxy.judge = self._faults(faults)
        self._proxy.judge_entry = lambda _: "InternalFailure" if self._draw.random() < 0.05 else None

    def calm(self) -> None:
        self._proxy.judge, self._proxy.judge_entry = (lambda _: None), (lambda _: None)
        self._proxy.delay_s = 0.0

    def _faults(self, faults: Sequence[Fault]) -> Judge:
        def judge(call: Call) -> Fault | None:
            is_hit = call.operation == "PutRecords" and self._draw.random() < 0.1
            return self._draw.choice(faults) if is_hit else None

        return judge


@pytest.mark.parametrize(
    ("count", "per_second", "down_s"),
    [
        pytest.param(4_000, 2_000, 1.0, id="small"),
        pytest.param(100_000, 1_500, 30.0, id="full", marks=pytest.mark.long),
    ],
)
async def test_a_killed_application_and_a_failing_shadow_lose_nothing(
    ends: Ends, tmp_path: Path, draw: Random, *, count: int, per_second: int, down_s: float
) -> None:
    """The shadow is down, slow, and fails at random; the application is killed twice. Then both ends hold the same."""
    authority, shadow = ends.pair("kafka to kinesis")
    assert isinstance(shadow, StreamEnd)
    with KinesisProxy(shadow.url) as proxy:
        weather = Weather(proxy, draw)
        asked = Asked(
            Place.of(authority),
            Place.of(shadow.at(proxy.address)),
            str(tmp_path / "spool.db"),
            str(tmp_path / "acknowledged"),
            count,
            keys=100,
            seed=draw.randrange(1_000),
            per_second=per_second,
        )
        async with DualApplication(tmp_path, asked) as application:
            await application.until_acknowledged(count // 10)
            weather.down()
            await asyncio.sleep(down_s / 2)  # for how long it is down is what is asked for
            await application.kill()
            before = len(application.acknowledged)
            await application.start()
            await application.until_acknowledged(before + count // 20)
            await asyncio.sleep(down_s / 2)
            weather.slow()
            await application.until_acknowledged(count * 6 // 10)
            weather.random()
            await application.until_acknowledged(count * 8 // 10)
            await application.kill()
            await application.start()
            assert await application.ended() == 0
            acknowledged = application.acknowledged
    assert sorted(set(acknowledged)) == list(range(count))
    held, followed = await first_copies(authority), await first_copies(shadow)
    assert held == followed
    assert {id_ for ids in held.values() for _, id_ in ids} >= set(acknowledged)
    for ids in held.values():
        numbers = [dual_write_id.parse(name.encode())[1] for name, _ in ids]
        assert numbers == sorted(numbers)
    verdict = await verified(written(tmp_path, authority, shadow, {"provenance": "never"}))
    assert (verdict.code, verdict.found) == (0, {}), verdict.document


async def test_a_killed_application_finds_what_its_stream_has(ends: Ends, tmp_path: Path, draw: Random) -> None:
    """A stream as the authority, which loses answers and fails entries: the topic holds what it has, in order."""
    authority, shadow = ends.pair("kinesis to kafka")
    assert isinstance(authority, StreamEnd)
    count = 4_000
    with KinesisProxy(authority.url) as proxy:
        Weather(proxy, draw).random()
        asked = Asked(
            Place.of(authority.at(proxy.address)),
            Place.of(shadow),
            str(tmp_path / "spool.db"),
            str(tmp_path / "acknowledged"),
            count,
            keys=100,
            seed=draw.randrange(1_000),
        )
        async with DualApplication(tmp_path, asked) as application:
            for part in (1, 2):
                await application.until_acknowledged(count * part // 4)
                await application.kill()
                await application.start()
            assert await application.ended() == 0
            acknowledged = application.acknowledged
    assert sorted(set(acknowledged)) == list(range(count))
    assert await first_copies(authority) == await first_copies(shadow)
    verdict = await verified(written(tmp_path, authority, shadow, {"provenance": "never"}))
    assert (verdict.code, verdict.found) == (0, {}), verdict.document


@pytest.mark.parametrize("pair", ["kinesis to kafka", "kafka to kinesis"])
async def test_a_raw_stream_holds_values_alone(ends: Ends, tmp_path: Path, pair: str) -> None:
    """It carries no id, as its target says; keys are in order at both ends all the same."""
    authority, shadow = ends.pair(pair)
    places = [replace(Place.of(end), codec="raw") for end in (authority, shadow)]
    first, second = (place.target() for place in places)
    assert [first.carries_ids, second.carries_ids] == [isinstance(end, TopicEnd) for end in (authority, shadow)]
    sent = list(generate(500, 20))
    async with DualWriter(DualWriteSettings("orders", first, second, tmp_path / "spool.db", close_s=60)) as writer:
        await asyncio.gather(*(writer.send(record.key.encode(), record.value(0)) for record in sent))
    assert await authority.ids_by_key() == await shadow.ids_by_key() == ids_by_key(sent)


async def test_the_example_runs(ends: Ends, tmp_path: Path) -> None:
    """What the documentation shows, as it stands: both ends hold all records, in order, and the roles are exchanged."""
    topic, stream = ends.pair("kafka to kinesis")
    assert isinstance(topic, TopicEnd)
    assert isinstance(stream, StreamEnd)
    example = Path(__file__).parents[2] / "docs/examples/dual_writes.py"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, example, topic.address, topic.name, stream.name, stream.url),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert f"the authority is kinesis://{REGION}/{stream.name}" in out.decode()
    expected = [b'{"order": %d}' % number for number in range(1, 101)]
    assert [record.value for record in await topic.records()] == expected
    assert [record.value for record in await stream.records()] == expected


async def test_what_the_shadow_lost_is_found(ends: Ends, tmp_path: Path) -> None:
    """A spool that is full breaks keys: verify names the records that the shadow misses."""
    authority, shadow = ends.pair("kafka to kinesis")
    assert isinstance(shadow, StreamEnd)
    with KinesisProxy(shadow.url) as proxy:
        proxy.judge = lambda _: Fault.CUT
        away = Place.of(shadow.at(proxy.address)).target()
        settings = DualWriteSettings(
            "orders",
            Place.of(authority).target(),
            away,
            tmp_path / "spool.db",
            spool_records=100,
            wait_s=0.1,
            close_s=0.1,
        )
        async with DualWriter(settings) as writer:
            for record in generate(300, 10):
                await send(writer, record)
        proxy.judge = lambda _: None
        async with DualWriter(replace(settings, close_s=60)):
            pass
    verdict = await verified(written(tmp_path, authority, shadow, {"provenance": "never"}))
    assert (verdict.code, verdict.found) == (1, {"missing": 200}), verdict.document
