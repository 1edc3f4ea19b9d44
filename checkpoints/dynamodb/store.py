"""The checkpoints of a mirror in the table, owned."""

import asyncio
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import uuid4

import msgspec

from checkpoints.base import Checkpoint, CheckpointError, CheckpointStore
from checkpoints.dynamodb import creation, items, reader
from checkpoints.dynamodb.client import Caller, Connect, connect
from checkpoints.dynamodb.clock import Clock
from checkpoints.dynamodb.faults import MissingTableError
from checkpoints.dynamodb.header import HeaderItem
from checkpoints.dynamodb.ownership import Ownership, claim
from checkpoints.dynamodb.table import Table

SESSION_S = 6.0
_CHUNK = 99
"""What a transaction of 100 items takes beside the header."""
_CHUNK_BYTES = 300_000
"""As UTF-8. Escaped as botocore does, which makes up to three of one, it stays far below a transaction's 4 MB."""


class DynamoCheckpoints(CheckpointStore):
    """Owns the checkpoints of one mirror while entered, in a table which it makes where there is none.

    Entering takes up to a session of the last owner where that died, and is refused as soon as it is seen to live.
    A worker that was silent for longer than ``session_s`` may be followed by another; its saves are refused then.

    A save or delete of up to 99 partitions and 300 KB is one transaction; more is several, each of them all or none. A
    cancelled one, or one whose answer was lost, may still take effect, but never over a later one.
    """

    def __init__(
        self, table: Table, mirror: str, *, clock: Clock, session_s: float = SESSION_S, connect: Connect = connect
    ) -> None:
        self._table = table
        self._mirror = mirror
        self._clock = clock
        self._session_s = session_s
        self._connect = connect
        self._opened: _Opened | None = None

    async def __aenter__(self) -> Self:
        if self._opened is not None:
            raise RuntimeError("this store is entered already")
        async with AsyncExitStack() as opening:
            caller = await opening.enter_async_context(self._connect(self._table))
            header = HeaderItem(caller, self._table, self._mirror)
            try:
                await header.read()
            except MissingTableError:
                await creation.create(caller, self._table, self._clock)
            ownership = await claim(header, _this_process(), self._session_s, self._clock)
            renewing = asyncio.create_task(ownership.renew(), name=f"own {self._mirror}")
            self._opened = _Opened(caller, ownership, renewing, opening.pop_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened = self._entered()
        self._opened = None
        await opened.close()

    async def load(self) -> Mapping[str, Checkpoint]:
        return await reader.load(self._entered().caller, self._table, self._mirror)

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Write these, up to 99 of them and 300 KB all or none, more in several transactions.

        Those of the transactions that were made stay where a later one fails; saving all of them again is right.
        """
        ownership = self._entered().ownership
        await self._write(
            [
                self._put(items.item(self._mirror, partition, checkpoint, ownership.fence))
                for partition, checkpoint in checkpoints.items()
            ]
        )

    async def delete(self, partitions: Iterable[str]) -> None:
        """Forget these, up to 99 of them all or none, more in several transactions."""
        await self._write([self._removal(partition) for partition in dict.fromkeys(partitions)])

    async def _write(self, writes: Sequence[Mapping[str, object]]) -> None:
        ownership = self._entered().ownership
        for chunk in _chunks(writes):
            await ownership.write(chunk)

    def _put(self, item: Mapping[str, object]) -> Mapping[str, object]:
        return {"Put": {"TableName": self._table.name, "Item": item}}

    def _removal(self, partition: str) -> Mapping[str, object]:
        return {"Delete": {"TableName": self._table.name, "Key": items.key(self._mirror, partition)}}

    def _entered(self) -> "_Opened":
        if self._opened is None:
            raise RuntimeError("this store is not entered")
        return self._opened


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is owned while entered: the header, and a connection to where it is."""

    caller: Caller
    ownership: Ownership
    renewing: asyncio.Task[None]
    resources: AsyncExitStack

    async def close(self) -> None:
        async with self.resources:
            self.renewing.cancel()
            await asyncio.wait((self.renewing,))
            # Everything that was saved is safe. Where the table cannot be told, the next owner waits a session.
            with suppress(CheckpointError):
                await self.ownership.leave()


def _chunks(writes: Iterable[Mapping[str, object]]) -> Iterator[Sequence[Mapping[str, object]]]:
    chunk: list[Mapping[str, object]] = []
    size = 0
    for write in writes:
        added = len(msgspec.json.encode(write))
        if chunk and (len(chunk) == _CHUNK or size + added > _CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(write)
        size += added
    if chunk:
        yield chunk


def _this_process() -> str:
    """A name that no other owner has, for people: where to look for the process, and which."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex}"
