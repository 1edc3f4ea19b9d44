"""Records that the Kinesis Producer Library packed into one."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import md5
from random import Random

import pytest

from tests.support.checker import check_folded
from tests.support.command import run_command
from tests.support.kafka_reader import TopicRecord
from tests.support.kafka_reader import ids_by_key as arrived_ids_by_key
from tests.support.kinesis_api import kinesis_session
from tests.support.kpl_encoder import aggregate
from tests.support.lives import Death, sent_again
from tests.support.origins import Origin
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.route import Route, RouteFactory
from tests.support.topic_tail import topic_ends

SHARDS = 4
KEYS = 500
# As the library does: at the least two records, else the record goes alone, and all of them within 50 KB.
MOST = 50
SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What is put into the stream as one record, and the user records in it."""

    data: bytes
    key: str
    hash_key: str
    inside: tuple[TestRecord, ...]


@pytest.mark.parametrize(
    ("records", "kills"),
    [pytest.param(15_000, 1, id="small"), pytest.param(200_000, 10, id="full", marks=pytest.mark.long)],
)
async def test_user_records_keep_keys_order_and_place_across_kills(
    route: RouteFactory, seed: int, draw: Random, records: int, kills: int
) -> None:
    """Each under its own key, nothing missing, nothing but a re-run suffix doubled, each with its number inside."""
    path = route(shards=SHARDS)
    sent = list(generate(records, KEYS, seed=seed, size=SIZE))
    entries = list(_packed(sent, draw))
    deaths: list[Death] = []
    async with path.mirror() as mirror:
        share = len(entries) // (kills + 1)
        for number in range(kills):
            part = entries[number * share : (number + 1) * share]
            writing = asyncio.create_task(_put(path, part))
            await mirror.until_written(sum(len(entry.inside) for entry in part) // 2)
            await mirror.kill()
            deaths.append(Death(await mirror.checkpoints(), await topic_ends(path.kafka, path.topic)))
            await writing
            mirror.start()
        await _put(path, entries[kills * share :])
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    arrived = await path.records()
    verdict = check_folded(ids_by_key(sent), arrived_ids_by_key(arrived))
    assert verdict.ok, verdict
    assert sent_again(arrived, deaths) == []
    assert _numbers_inside(arrived) == _expected_numbers(entries)


async def test_a_mirror_goes_on_inside_an_aggregate(route: RouteFactory, seed: int) -> None:
    """From a checkpoint in the midst of one, the rest of it comes, and what is behind it, once."""
    path = route(shards=1, partitions=1)
    sent = list(generate(3 * MOST, 20, seed=seed))
    await _put(path, [_entry(sent[first : first + MOST]) for first in range(0, len(sent), MOST)])
    async with path.mirror() as mirror:
        await mirror.until_written(len(sent))
        assert await mirror.stop() == 0
        begun = _positions(await path.records())
        shard, position = begun[MOST + MOST // 2]
        changed = await run_command("checkpoints", "set", mirror.config, shard, position)
        assert changed.code == 0, changed
        mirror.start()
        await mirror.until_written(len(sent) - MOST - MOST // 2 - 1)
        assert await mirror.stop() == 0
    assert _positions(await path.records()) == begun + begun[MOST + MOST // 2 + 1 :]


def _positions(arrived: Sequence[TopicRecord]) -> list[tuple[str, str]]:
    """Shard and position of each, in the order of the topic."""
    origins = [Origin.of(record) for record in arrived]
    return [(origin.shard, "#".join(map(str, origin.place))) for origin in origins]


def _packed(records: Sequence[TestRecord], draw: Random) -> Iterator[Entry]:
    """Neighbours of one shard's range together, in order; each entry where the first record's key belongs."""
    waiting: dict[int, list[TestRecord]] = {}
    for record in records:
        part = waiting.setdefault(_hash(record.key) * SHARDS >> 128, [])
        part.append(record)
        if len(part) >= draw.randrange(1, MOST):
            yield _entry(part)
            part.clear()
    yield from (_entry(part) for part in waiting.values() if part)


def _entry(records: Sequence[TestRecord]) -> Entry:
    first = records[0]
    if len(records) == 1:
        return Entry(first.value(0), first.key, str(_hash(first.key)), (first,))
    data = aggregate([(record.key, record.value(0)) for record in records])
    return Entry(data, "a", str(_hash(first.key)), tuple(records))


def _hash(key: str) -> int:
    return int.from_bytes(md5(key.encode(), usedforsecurity=False).digest(), "big")


async def _put(path: Route, entries: Sequence[Entry]) -> None:
    """One by one in calls of a few, so that entries of a shard cannot overtake each other."""
    async with kinesis_session(path.kinesis) as client:
        for first in range(0, len(entries), 20):
            calls = [
                {"Data": entry.data, "PartitionKey": entry.key, "ExplicitHashKey": entry.hash_key}
                for entry in entries[first : first + 20]
            ]
            answer = await client.put_records(StreamName=path.stream, Records=calls)
            assert not answer.get("FailedRecordCount")


def _numbers_inside(arrived: Sequence[TopicRecord]) -> dict[bytes, set[int]]:
    """The places inside aggregates at which each key's records stood, -1 for a record by itself."""
    found: dict[bytes, set[int]] = {}
    for record in arrived:
        found.setdefault(record.key or b"", set()).add(Origin.of(record).place[1])
    return found


def _expected_numbers(entries: Sequence[Entry]) -> dict[bytes, set[int]]:
    found: dict[bytes, set[int]] = {}
    for entry in entries:
        for number, record in enumerate(entry.inside):
            found.setdefault(record.key.encode(), set()).add(-1 if len(entry.inside) == 1 else number)
    return found
