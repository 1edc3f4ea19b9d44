"""``kmbridge verify`` after a real mirror: what it proves, and what it tells apart."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.ports import HOST, free_port
from tests.support.records import generate
from tests.support.resharding import merge_two, split_one
from tests.support.verifying import Follower, verified, written
from tests.support.way import Way

KEYS = 50
PAIRS = ["kinesis to kafka", "kafka to kinesis", "kafka to kafka", "kinesis to kinesis"]


class Ends:
    """New streams and topics."""

    def __init__(self, kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> None:
        self._kinesis, self._kafka, self._stream, self._topic = kinesis, kafka, stream, topic

    def stream(self, shards: int = 3) -> StreamEnd:
        return StreamEnd(self._kinesis, self._stream(shards))

    def topic(self, partitions: int = 4) -> TopicEnd:
        return TopicEnd(self._kafka, self._topic(partitions))

    def pair(self, name: str) -> tuple[End, End]:
        """As ``kinesis to kafka``."""
        source, _, sink = name.partition(" to ")
        return self._made(source), self._made(sink)

    def _made(self, system: str) -> End:
        return self.stream() if system == "kinesis" else self.topic()


@pytest.fixture
def ends(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> Ends:
    return Ends(kinesis, kafka, stream, topic)


@pytest.mark.parametrize("pair", PAIRS)
async def test_what_a_mirror_wrote_is_equal(ends: Ends, tmp_path: Path, pair: str) -> None:
    """Every pair of systems is compared by origin, and nothing is found nor read twice."""
    way = Way(tmp_path, *ends.pair(pair))
    sent = list(generate(2_000, KEYS))
    async with way.mirror() as mirror:
        await way.write(sent)
        await way.until_arrived(len(sent))
        assert await mirror.stop() == 0
        verdict = await verified(mirror.config)
    assert (verdict.code, verdict.document["source_records"], verdict.document["sink_records"]) == (0, 2_000, 2_000)
    assert verdict.document["ranges_reread"] == 0


@pytest.mark.parametrize("pair", PAIRS)
async def test_without_origins_keys_are_compared(ends: Ends, tmp_path: Path, pair: str) -> None:
    """Nothing is found behind a mirror; one more record in the sink, and one less, are found and named."""
    source, sink = ends.pair(pair)
    way = Way(tmp_path, source, sink)
    sent = list(generate(600, KEYS))
    async with way.mirror({"provenance": "never"}) as mirror:
        await way.write(sent)
        await way.until_arrived(len(sent))
        assert await mirror.stop() == 0
        verdict = await verified(mirror.config)
        assert (verdict.code, verdict.found, verdict.document["keys"]) == (0, {}, KEYS)
        await sink.write([next(generate(1, 1, seed=9))])
        await source.write([next(generate(1, 1, seed=8)), next(generate(1, 1, seed=7))])
        verdict = await verified(mirror.config)
    assert (verdict.code, verdict.found) == (1, {"altered": 1, "missing": 1})


async def test_a_raw_stream_is_compared_by_key(ends: Ends, tmp_path: Path) -> None:
    """It carries no origins: the order of each key is proved by what its records hold."""
    way = Way(tmp_path, ends.topic(), ends.stream())
    sent = list(generate(600, KEYS))
    async with way.mirror({"sink": {"kinesis": {"codec": "raw"}}}) as mirror:
        await way.write(sent)
        await way.until_arrived(len(sent))
        assert await mirror.stop() == 0
        verdict = await verified(mirror.config)
    assert (verdict.code, verdict.found, verdict.document["sink_records"]) == (0, {}, len(sent))


@pytest.mark.parametrize("pair", ["kinesis to kafka", "kinesis to kinesis", "kafka to kinesis"])
async def test_reshards_of_either_side_change_nothing(ends: Ends, tmp_path: Path, draw: Random, pair: str) -> None:
    """Parents are read before their children, at both ends."""
    way = Way(tmp_path, *ends.pair(pair))
    sent = list(generate(3_000, 300))
    async with way.mirror() as mirror:
        for part, reshard in enumerate((split_one, merge_two, split_one)):
            await way.write(sent[part * 1_000 : part * 1_000 + 1_000])
            for end in (way.source, way.sink):
                if isinstance(end, StreamEnd):
                    await asyncio.to_thread(reshard, end, draw)
        await way.until_arrived(len(sent))
        assert await mirror.stop() == 0
        verdict = await verified(mirror.config)
    assert (verdict.code, verdict.found, verdict.document["sink_records"]) == (0, {}, len(sent))


async def test_a_range_includes_both_of_its_ends(ends: Ends, tmp_path: Path) -> None:
    """By position, as differences are printed, and by time; what lies outside is no concern of it."""
    source, sink = ends.topic(1), ends.topic(1)
    way = Way(tmp_path, source, sink)
    async with way.mirror() as mirror:
        await way.write(generate(100, KEYS))
        await way.until_arrived(100)
        assert await mirror.stop() == 0
        config = mirror.config
    # Ends include their whole millisecond, and what follows may be written within it.
    between = (datetime.now(UTC) - timedelta(milliseconds=5)).isoformat()
    await way.write(generate(7, KEYS, seed=3))
    lost = await verified(config)
    assert (lost.code, lost.found) == (1, {"missing": 7})
    first = lost.document["differences"]["missing"]["first"][0]
    assert first.endswith(f"{source.name}/0/100")
    assert (await verified(config, "--until", between)).code == 0
    assert (await verified(config, "--from", between)).found == {"missing": 7}
    assert (await verified(config, "--from", first)).document["source_records"] == 7
    some = await verified(config, "--from", "0/10", "--until", "0/19")
    assert (some.code, some.document["source_records"], some.document["sink_records"]) == (0, 10, 10)
    wrong = await verified(config, "--from", "0/19", "--until", "0/10")
    assert (wrong.code, wrong.document) == (2, {})


async def test_what_came_from_the_sink_is_accounted_for(ends: Ends, tmp_path: Path) -> None:
    """With mirrors both ways each end holds what is native at the other, and natives that nobody copied are extra."""
    stream, topic = ends.stream(), ends.topic()
    there, back = Way(tmp_path / "there", stream, topic), Way(tmp_path / "back", topic, stream)
    async with there.mirror() as forth, back.mirror() as reverse:
        await asyncio.gather(stream.write(generate(300, KEYS)), topic.write(generate(200, KEYS, seed=5)))
        await forth.until_metric("kmbridge_skipped_records_total", 200)
        await reverse.until_metric("kmbridge_skipped_records_total", 300)
        assert [await forth.stop(), await reverse.stop()] == [0, 0]
        verdicts = [await verified(mirror.config) for mirror in (forth, reverse)]
        assert [(each.code, each.document["sink_records"]) for each in verdicts] == [(0, 300), (0, 200)]
        assert [each.document["left_out"] for each in verdicts] == [
            {"loop": 200, "native": 200},
            {"loop": 300, "native": 300},
        ]
        since = datetime.now(UTC).isoformat()
        later = await verified(forth.config, "--from", since)
        assert (later.code, later.found, later.document["left_out"]["native"]) == (0, {}, 200)
        await topic.write(generate(1, 1))
        assert (await verified(forth.config)).found == {"extra": 1}
        shared = await verified(forth.config, "--shared")
        assert (shared.code, shared.document["left_out"]["native"]) == (0, 201)


@pytest.mark.parametrize("kind", ["file", "kafka", "kinesis"])
async def test_dead_letters_are_accounted_for(ends: Ends, topic: TopicFactory, tmp_path: Path, kind: str) -> None:
    """A record that the sink refused is where the mirror put it, and is not missing; elsewhere it is."""
    letters: dict[str, dict[str, Any]] = {
        "file": {"file": {"path": str(tmp_path / "letters.jsonl")}},
        "kafka": {"kafka": {"topic": ends.topic(1).name}},
        "kinesis": {"kinesis": {"stream": ends.stream(1).name}},
    }
    sink = replace(ends.topic(), name=topic(4, {"max.message.bytes": "2000"}))
    way = Way(tmp_path, ends.stream(), sink)
    sent = [*generate(40, KEYS), replace(next(generate(1, 1, size=5_000)), id=40), *generate(20, KEYS, seed=6)]
    async with way.mirror({"on_error": "dead_letter", "dead_letter": letters[kind]}) as mirror:
        await way.write(sent)
        await mirror.until_written(60)
        await mirror.until_metric("kmbridge_dead_letter_records_total", 1)
        assert await mirror.stop() == 0
        verdict = await verified(mirror.config)
        assert (verdict.code, verdict.found) == (0, {})
        assert verdict.document["left_out"] == {"dead_letter": 1}
        assert (await verified(mirror.config, "--set", "on_error=stop")).found == {"missing": 1}


async def test_an_end_that_does_not_answer_is_said_to(ends: Ends, tmp_path: Path) -> None:
    """Exit code 3, and which end it is."""
    verdict = await verified(written(tmp_path, TopicEnd(f"{HOST}:{free_port()}", "nowhere"), ends.topic()))
    assert verdict.code == 3
    assert "nowhere" in verdict.printed


async def test_following_proves_what_is_written_meanwhile(ends: Ends, tmp_path: Path) -> None:
    """Stretch by stretch, with metrics; what nobody mirrors is found, and told with the exit code."""
    way = Way(tmp_path, ends.stream(), ends.topic())
    async with way.mirror() as mirror:
        await way.write(generate(500, KEYS))
        await way.until_arrived(500)
        async with Follower(mirror.config, behind="3s") as follower:
            await follower.until_metric("kmbridge_parity_records_total", 500)
            await way.write(generate(300, KEYS, seed=2))
            await follower.until_metric("kmbridge_parity_records_total", 800)
            assert await mirror.stop() == 0
            await way.write(generate(5, KEYS, seed=4))
            await follower.until_metric("kmbridge_parity_differences_total", 5, kind="missing")
            code, document = await follower.stop()
    assert (code, document["source_records"], document["differences"]["missing"]["count"]) == (1, 805, 5)
    assert [kind for kind, each in document["differences"].items() if each["count"]] == ["missing"]
