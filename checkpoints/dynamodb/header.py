"""The header of one mirror: the item that says who owns its checkpoints, changed only by those who know its state."""

from collections.abc import Mapping, Sequence

from checkpoints.dynamodb import items
from checkpoints.dynamodb.attributes import number, text
from checkpoints.dynamodb.client import Caller
from checkpoints.dynamodb.items import Header
from checkpoints.dynamodb.table import Table

_AS_SEEN = "#fence = :fence AND #beat = :beat"


class HeaderItem:
    """Every change demands the state it was made for, else it raises ``ConditionError`` and nothing is written."""

    def __init__(self, caller: Caller, table: Table, mirror: str) -> None:
        self._caller = caller
        self._table = table
        self._mirror = mirror

    def __str__(self) -> str:
        return f"the checkpoints of {self._mirror} in {self._table}"

    async def read(self) -> Header:
        """As it is now; ``NOBODY`` before the first owner."""
        parameters = {"TableName": self._table.name, "Key": self._key, "ConsistentRead": True}
        return items.header(await self._caller.call("GetItem", parameters), self._table)

    async def claim(self, seen: Header, ours: Header) -> None:
        """Put ``ours`` in the place of ``seen``."""
        fields = items.header_fields(ours)
        condition, expected = (_AS_SEEN, _beat(seen)) if seen != items.NOBODY else ("attribute_not_exists(#fence)", {})
        sets = ", ".join(f"#{name} = :new_{name}" for name in fields)
        values = expected | {f":new_{name}": value for name, value in fields.items()}
        await self._caller.call("UpdateItem", self._update(f"SET {sets}", condition, values, tuple(fields)))

    async def renew(self, ours: Header, now_ms: int, writes: Sequence[Mapping[str, object]]) -> None:
        """Move the beat by one, and make ``writes`` in the same transaction."""
        update = self._update(
            "SET #beat = :next, #renewed_ms = :now",
            f"{_AS_SEEN} AND #owner = :owner",
            _beat(ours) | _next(ours) | {":now": number(now_ms)},
            ("owner", "fence", "beat", "renewed_ms"),
        )
        if writes:
            await self._caller.call("TransactWriteItems", {"TransactItems": [{"Update": update}, *writes]})
        else:
            await self._caller.call("UpdateItem", update)

    async def clear(self, ours: Header) -> None:
        """Move the beat by one, and leave no owner behind."""
        update = self._update(
            "SET #beat = :next REMOVE #owner",
            f"{_AS_SEEN} AND #owner = :owner",
            _beat(ours) | _next(ours),
            ("owner", "fence", "beat"),
        )
        await self._caller.call("UpdateItem", update)

    @property
    def _key(self) -> Mapping[str, object]:
        return items.key(self._mirror, items.HEADER)

    def _update(
        self, expression: str, condition: str, values: Mapping[str, object], names: Sequence[str]
    ) -> dict[str, object]:
        return {
            "TableName": self._table.name,
            "Key": self._key,
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": values,
        }


def _beat(seen: Header) -> dict[str, object]:
    return {":fence": number(seen.fence), ":beat": number(seen.beat)}


def _next(ours: Header) -> dict[str, object]:
    return {":owner": text(ours.owner or ""), ":next": number(ours.beat + 1)}
