"""The stretch of writing into a stream between two checkpoints."""

import asyncio
from collections.abc import Collection

from connectors.base import Batch, Outcome, Save, Scope, TransientError
from connectors.kinesis.writing.writer import Writer


class KinesisScope(Scope):
    """An answer is durable at once."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        return self._writer.submit(lane, batch)

    async def commit(self, save: Save) -> None:
        await save({})

    async def room(self, lane: str) -> None:
        await self._writer.room(lane)

    def withdraw(self, lanes: Collection[str]) -> None:
        self._writer.withdraw(lanes)

    def abort(self) -> None:
        self._writer.give_up(TransientError("write", "given up"))
