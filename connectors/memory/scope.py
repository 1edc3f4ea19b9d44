"""What is submitted to a sink in memory, as long as that does not break."""

import asyncio
from typing import Generic, Protocol, TypeVar

from connectors.base import Batch, Outcome, Save, Scope, TransientError


class Breakable(Protocol):
    """A sink whose scopes end when it breaks."""

    generation: int
    """How often it has broken."""

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]: ...


S = TypeVar("S", bound=Breakable)


class MemoryScope(Scope, Generic[S]):
    """Bound to the sink as it was between two breaks."""

    def __init__(self, sink: S) -> None:
        self._sink = sink
        self._generation = sink.generation

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        if self._generation == self._sink.generation:
            return self._sink.submit(lane, batch)
        answer = asyncio.get_running_loop().create_future()
        answer.set_exception(TransientError("submit", "the scope broke"))
        return answer

    async def commit(self, save: Save) -> None:
        await save({})
