"""The checkpoints of a mirror in the table, seen by anyone."""

from collections.abc import Mapping
from typing import Any

from checkpoints.base import Checkpoint, CheckpointReader
from checkpoints.dynamodb import items
from checkpoints.dynamodb.attributes import text
from checkpoints.dynamodb.client import Caller, Connect, connect
from checkpoints.dynamodb.faults import MissingTableError
from checkpoints.dynamodb.table import Table


class DynamoReader(CheckpointReader):
    """Looks into the table, also while a mirror writes it. A missing table holds no checkpoints.

    Every finished save is seen, each checkpoint whole; of a save under way some may be seen and others not yet.
    """

    def __init__(self, table: Table, mirror: str, *, connect: Connect = connect) -> None:
        self._table = table
        self._mirror = mirror
        self._connect = connect

    async def load(self) -> Mapping[str, Checkpoint]:
        async with self._connect(self._table) as caller:
            try:
                return await load(caller, self._table, self._mirror)
            except MissingTableError:
                return {}


async def load(caller: Caller, table: Table, mirror: str) -> dict[str, Checkpoint]:
    """All checkpoints of ``mirror``. Raises ``MissingTableError`` where there is no table."""
    found: dict[str, Checkpoint] = {}
    query: dict[str, object] = {
        "TableName": table.name,
        "ConsistentRead": True,
        "KeyConditionExpression": "#mirror = :mirror",
        "ExpressionAttributeNames": {"#mirror": "mirror"},
        "ExpressionAttributeValues": {":mirror": text(mirror)},
    }
    while True:
        page: Mapping[str, Any] = await caller.call("Query", query)
        found |= items.checkpoints(page["Items"], table)
        if not page.get("LastEvaluatedKey"):
            return found
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
