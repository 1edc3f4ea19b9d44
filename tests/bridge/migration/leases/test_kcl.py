"""A worker of Amazon's own library reads what we write, and we read what it writes."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.migration.leases.lease import HashRange, NewLease, Processed, Sentinel
from bridge.migration.leases.new_table import create
from bridge.migration.leases.rest import AtRest, Moving, watch
from bridge.migration.leases.scan import read
from checkpoints.dynamodb.faults import MissingTableError
from connectors.base import Clock
from tests.bridge.migration.leases.tables import Application
from tests.support.factories import StreamFactory
from tests.support.kcl_worker import Given, KclWorker
from tests.support.kinesis_api import kinesis_client
from tests.support.kpl_encoder import aggregate
from tests.support.missing import give_up
from tests.support.provision import MissingServerError, kcl_jars
from tests.support.shards import Shard, open_shards, split
from tests.support.waiting import DeadlineError, eventually

WORKER_FAILOVER_S = 2.0
DEADLINE_S = 60


@pytest.fixture(autouse=True)
def _library() -> None:
    try:
        kcl_jars()
    except MissingServerError as error:
        give_up(error)


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream and its records as a consumer should be given them."""

    client: Any
    name: str

    def put(self, shard: Shard, data: bytes) -> str:
        """One record into a shard; its sequence number."""
        answer = self.client.put_record(
            StreamName=self.name, PartitionKey="any", ExplicitHashKey=str(shard.first_hash), Data=data
        )
        assert answer["ShardId"] == shard.id
        return str(answer["SequenceNumber"])

    def put_numbered(self, shard: Shard, count: int) -> list[Given]:
        values = [f"{shard.id}-{number}".encode() for number in range(count)]
        return [Given(shard.id, self.put(shard, value), 0, value) for value in values]

    def put_aggregate(self, shard: Shard, count: int) -> list[Given]:
        # `a` hashes into the lower half of all hashes: KCL drops what is not its shard's.
        values = [f"{shard.id}-packed-{number}".encode() for number in range(count)]
        sequence = self.put(shard, aggregate([("a", value) for value in values]))
        return [Given(shard.id, sequence, number, value) for number, value in enumerate(values)]


@pytest.fixture
def client(kinesis: str) -> Iterator[Any]:
    client = kinesis_client(kinesis)
    yield client
    client.close()


def place_of(given: Given) -> Processed:
    return Processed(given.sequence, given.sub_sequence)


def by_shard(given: Sequence[Given]) -> dict[str, list[Given]]:
    return {shard: [each for each in given if each.shard == shard] for shard in {each.shard for each in given}}


def lease(shard: Shard, checkpoint: Any, parents: Sequence[str] = (), children: Sequence[str] = ()) -> NewLease:
    hashes = HashRange(shard.first_hash, shard.last_hash)
    return NewLease(shard.id, checkpoint, hashes, tuple(parents), tuple(children))


async def test_a_worker_starts_from_a_table_of_ours_and_reads_exactly_what_is_behind_its_checkpoints(
    kinesis: str, client: Any, stream: StreamFactory, application: Application, tmp_path: Path
) -> None:
    """Behind a split, within an aggregate, from the oldest record, and nothing of a shard that is finished.

    What it then leaves behind is read as the place that it had reached.
    """
    name = stream(2)
    writer = Stream(client, name)
    lower, upper = open_shards(kinesis, name)
    packed = writer.put_aggregate(lower, 5)
    rest = writer.put_numbered(lower, 3)
    writer.put_numbered(upper, 3)
    split(kinesis, name, upper)
    _, left, right = open_shards(kinesis, name)
    whole, part = writer.put_numbered(left, 4), writer.put_numbered(right, 4)
    leases = [
        lease(lower, place_of(packed[1])),
        lease(upper, Sentinel.SHARD_END, children=(left.id, right.id)),
        lease(left, Sentinel.TRIM_HORIZON, parents=(upper.id,)),
        lease(right, place_of(part[2]), parents=(upper.id,)),
    ]
    expected = {lower.id: packed[2:] + rest, left.id: whole, right.id: part[3:]}
    await create(application.table, leases, clock=Clock())
    with KclWorker(tmp_path, application.table.name, name, kinesis, application.table.endpoint_url or "") as worker:
        await eventually(lambda: len(worker.given()) >= sum(map(len, expected.values())), "all records", DEADLINE_S)
        given = await asyncio.to_thread(worker.stop)
    assert by_shard(given) == expected
    left_behind = (await read(application.table, clock=Clock())).leases
    assert {key: left_behind[key].checkpoint for key in expected} == {
        key: place_of(records[-1]) for key, records in expected.items()
    }


async def test_a_worker_is_seen_at_work_and_its_table_at_rest_when_it_has_ended(
    kinesis: str, client: Any, stream: StreamFactory, application: Application, tmp_path: Path
) -> None:
    """In a table that it made itself, with the rows that are no leases."""
    name = stream(2)
    shards = {shard.id for shard in open_shards(kinesis, name)}
    with KclWorker(tmp_path, application.table.name, name, kinesis, application.table.endpoint_url or "") as worker:
        moving = await _seen(application, shards)
        await asyncio.to_thread(worker.stop)
    assert {movement.workers for movement in moving.movements if movement.key in shards} == {("worker-1",)}
    found = await watch(application.table, clock=Clock(), failover_s=WORKER_FAILOVER_S)
    assert isinstance(found, AtRest)
    assert {key: lease.checkpoint for key, lease in found.scan.leases.items()} == dict.fromkeys(shards, Sentinel.LATEST)
    assert "CLIENT_VERSION_MIGRATION" in {row.kind for row in found.scan.others.values()}


async def _seen(application: Application, shards: set[str]) -> Moving:
    """The first look that finds a worker at each of ``shards``."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with suppress(MissingTableError):
            found = await watch(application.table, clock=Clock(), failover_s=WORKER_FAILOVER_S)
            if isinstance(found, Moving) and shards <= {each.key for each in found.movements if each.workers}:
                return found
        await asyncio.sleep(0.1)
    raise DeadlineError(f"no worker at {shards} within {DEADLINE_S} s")
