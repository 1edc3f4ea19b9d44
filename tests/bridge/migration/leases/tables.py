"""Lease tables as the versions of KCL leave them, and time that passes when somebody waits for it."""

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.migration.leases.table import lease_table
from checkpoints.dynamodb.client import connect
from checkpoints.dynamodb.creation import create
from checkpoints.dynamodb.table import Table

Row = dict[str, Any]

SHARDS = tuple(f"shardId-{number:012}" for number in range(6))
SEQUENCE = "49668899123456789012345678901234567890123456789012345650"
LAST_HASH = str(2**128 - 1)


def row_1x(shard: str = SHARDS[0], **changes: Any) -> Row:
    """What KCL 1.x writes: no hash keys, no children, no kind."""
    return {
        "leaseKey": {"S": shard},
        "leaseOwner": {"S": "worker-1"},
        "leaseCounter": {"N": "17"},
        "ownerSwitchesSinceCheckpoint": {"N": "0"},
        "checkpoint": {"S": SEQUENCE},
        "checkpointSubSequenceNumber": {"N": "0"},
        **changes,
    }


def row_2x(shard: str = SHARDS[0], **changes: Any) -> Row:
    """What KCL 2.x writes since it checks that the shards leave no hole."""
    return row_1x(shard, startingHashKey={"S": "0"}, endingHashKey={"S": LAST_HASH}) | changes


def row_3x(shard: str = SHARDS[0], **changes: Any) -> Row:
    """What KCL 3.0 to 3.4 write, which balance workers by throughput."""
    return row_2x(shard, throughputKBps={"N": "12.734375"}) | changes


def row_35(shard: str = SHARDS[0], **changes: Any) -> Row:
    """What KCL 3.5 writes, which tells rows apart by their kind."""
    return row_3x(shard, entityType={"S": "LEASE"}) | changes


def multi_stream(row: Row, stream: str) -> Row:
    """The row as an application of several streams has it."""
    shard = row["leaseKey"]["S"]
    return {**row, "leaseKey": {"S": f"{stream}:{shard}"}, "streamName": {"S": stream}, "shardId": {"S": shard}}


OTHERS_35: tuple[Row, ...] = (
    {
        "leaseKey": {"S": "Leader"},
        "entityType": {"S": "LEADER"},
        "ownerName": {"S": "worker-1"},
        "leaseDuration": {"S": "120000"},
        "recordVersionNumber": {"S": "0e8f4d5c-8a30-4c3f-9a53-fb8cf63d3d4a"},
    },
    {
        "leaseKey": {"S": "Migration3.0"},
        "entityType": {"S": "CLIENT_VERSION_MIGRATION"},
        "cv": {"S": "CLIENT_VERSION_3X"},
        "mb": {"S": "worker-1"},
        "mts": {"N": "1764000000001"},
        "h": {
            "L": [
                {
                    "M": {
                        "cv": {"S": "CLIENT_VERSION_INIT"},
                        "mb": {"S": "worker-1"},
                        "mts": {"N": "1764000000000"},
                    }
                }
            ]
        },
    },
    {
        "leaseKey": {"S": "worker-1"},
        "entityType": {"S": "WORKER_METRIC_STATS"},
        "lut": {"N": "1764000000"},
        "sts": {"M": {"C": {"L": [{"N": "12.5"}, {"N": "13.25"}]}}},
        "opr": {"M": {"C": {"L": [{"N": "80"}]}}},
        "slu": {"N": "1764000000"},
        "sup": {"N": "1"},
    },
    {"leaseKey": {"S": "orders"}, "entityType": {"S": "STREAM"}, "streamId": {"S": "stream-1"}},
    {"leaseKey": {"S": "TableMigration"}, "entityType": {"S": "TABLE_MIGRATION"}},
    {"leaseKey": {"S": "of-a-later-version"}, "entityType": {"S": "SOMETHING_NEW"}},
)


class JumpingClock:
    """Nobody waits, and it is known for how long."""

    def __init__(self) -> None:
        self.waited_s: list[float] = []

    def now_ms(self) -> int:
        return round(1000 * self.monotonic())

    def monotonic(self) -> float:
        return sum(self.waited_s)

    async def sleep(self, seconds: float) -> None:
        self.waited_s.append(seconds)


class Application:
    """Somebody else's: its table, changed behind our back."""

    def __init__(self, name: str, region: str, url: str) -> None:
        self.table: Table = lease_table(name, region, url)

    async def call(self, action: str, **parameters: object) -> Mapping[str, Any]:
        async with connect(self.table) as caller:
            return await caller.call(action, {"TableName": self.table.name, **parameters})

    async def make(self, rows: Iterable[Row] = ()) -> None:
        async with connect(self.table) as caller:
            await create(caller, self.table, JumpingClock())
            for row in rows:
                await caller.call("PutItem", {"TableName": self.table.name, "Item": row})

    async def put(self, *rows: Row) -> None:
        for row in rows:
            await self.call("PutItem", Item=row)

    async def remove(self, key: str) -> None:
        await self.call("DeleteItem", Key={"leaseKey": {"S": key}})

    async def rows(self) -> dict[str, Row]:
        answer = await self.call("Scan", ConsistentRead=True)
        return {row["leaseKey"]["S"]: row for row in answer["Items"]}
