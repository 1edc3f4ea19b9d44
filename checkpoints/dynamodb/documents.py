"""Documents in the table of checkpoints, each an item that its version guards."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from checkpoints.base import StoreFormatError
from checkpoints.documents import Document, Documents, checked_name
from checkpoints.dynamodb import creation, items
from checkpoints.dynamodb.attributes import Number, Text, number, text
from checkpoints.dynamodb.client import Caller, Connect, connect
from checkpoints.dynamodb.clock import Clock
from checkpoints.dynamodb.faults import ConditionError, MissingTableError
from checkpoints.dynamodb.table import Table

FORMAT = 1
_BEHIND = "#documents"


class _Format(Struct, frozen=True):
    version: Number


class _Item(Struct, frozen=True):
    revision: Number
    text: Text
    author: Text


class DynamoDocuments(Documents):
    """Needs no ownership of the mirror's checkpoints. A table that is missing is made with the first save."""

    def __init__(self, table: Table, mirror: str, *, clock: Clock, connect: Connect = connect) -> None:
        self._table = table
        # A key of its own, which no mirror's name can be: older workers read all items of a mirror as checkpoints.
        self._key = f"{mirror}{_BEHIND}"
        self._clock = clock
        self._connect = connect
        self._opened: _Opened | None = None

    async def __aenter__(self) -> Self:
        if self._opened is not None:
            raise RuntimeError("these documents are entered already")
        async with AsyncExitStack() as opening:
            caller = await opening.enter_async_context(self._connect(self._table))
            self._opened = _Opened(caller, opening.pop_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened, self._opened = self._entered(), None
        await opened.resources.aclose()

    async def load(self, name: str) -> Document | None:
        query = {"TableName": self._table.name, "Key": items.key(self._key, checked_name(name)), "ConsistentRead": True}
        try:
            answer = await self._entered().caller.call("GetItem", query)
        except MissingTableError:
            return None
        return self._document(name, answer["Item"]) if "Item" in answer else None

    async def _replace(self, name: str, expected: int | None, document: Document) -> Document | None:
        put = self._put(name, expected, document)
        try:
            await self._write(put)
        except ConditionError:
            # So it is also where our own call was repeated because its answer was lost: what is there tells.
            return await self.load(name)
        return document

    async def _write(self, put: dict[str, object]) -> None:
        caller = self._entered().caller
        try:
            await caller.call("PutItem", put)
        except MissingTableError:
            await creation.create(caller, self._table, self._clock)
            await caller.call("PutItem", put)

    def _put(self, name: str, expected: int | None, document: Document) -> dict[str, object]:
        put: dict[str, object] = {
            "TableName": self._table.name,
            "Item": {
                **items.key(self._key, name),
                "version": number(FORMAT),
                "revision": number(document.version),
                "text": text(document.text),
                "author": text(document.author),
            },
        }
        if expected is None:
            return put | {"ConditionExpression": "attribute_not_exists(mirror)"}
        return put | {
            "ConditionExpression": "revision = :expected",
            "ExpressionAttributeValues": {":expected": number(expected)},
        }

    def _document(self, name: str, stored: object) -> Document:
        """Raises ``StoreFormatError`` for one of a newer version, or that is not ours."""
        operation = f"load document {name} from {self._table}"
        try:
            found = int(msgspec.convert(stored, _Format).version)
            if found != FORMAT:
                raise StoreFormatError(
                    operation,
                    f"written in format {found} by a newer version, this one knows format {FORMAT}",
                    "upgrade kmbridge on this machine",
                )
            item = msgspec.convert(stored, _Item)
        except msgspec.ValidationError as error:
            raise StoreFormatError(operation, f"not a document: {error}", self._table.purpose.foreign) from error
        return Document(item.text.value, int(item.revision), item.author.value)

    def _entered(self) -> "_Opened":
        if self._opened is None:
            raise RuntimeError("these documents are not entered")
        return self._opened


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connection to where they are."""

    caller: Caller
    resources: AsyncExitStack
