"""What the engine does with a sink, in short: lanes that submit, settle in order, and go back after a fault."""

import asyncio
from collections import deque
from collections.abc import Sequence

from connectors.base import Batch, ConnectorError, Outcome, Scope, Sink

_AHEAD = 4


class Mover:
    """Moves the batches of several lanes into a sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._beginning = asyncio.Lock()
        self._scope: Scope | None = None
        self._withdrawn: set[str] = set()

    def abort(self) -> None:
        if self._scope is not None:
            self._scope.abort()

    def withdraw(self, lane: str) -> None:
        """The lane submits nothing more, and goes back when what it has submitted has raised."""
        if self._scope is not None:
            self._withdrawn.add(lane)
            self._scope.withdraw([lane])

    async def run(self, *lanes: Sequence[Batch]) -> None:
        """Until all of all ``lanes`` is answered."""
        async with asyncio.TaskGroup() as tasks:
            for batches in lanes:
                tasks.create_task(self._lane(batches))

    async def _lane(self, batches: Sequence[Batch]) -> None:
        done = 0
        while done < len(batches):
            done = await self._stretch(batches, done)

    async def _stretch(self, batches: Sequence[Batch], done: int) -> int:
        """Submit from ``done`` on, up to the end or the first fault. How many are answered without a hole."""
        scope = await self._begin()
        lane = batches[done].partition
        self._withdrawn.discard(lane)
        waiting: deque[asyncio.Future[Outcome]] = deque()
        following = done
        while done < len(batches):
            while following < len(batches) and len(waiting) < _AHEAD:
                await scope.room(lane)
                if lane in self._withdrawn:
                    break
                waiting.append(scope.submit(lane, batches[following]))
                following += 1
            if not waiting:
                return done
            try:
                await waiting[0]
            except ConnectorError:
                await asyncio.gather(*waiting, return_exceptions=True)
                return done
            waiting.popleft()
            done += 1
        return done

    async def _begin(self) -> Scope:
        async with self._beginning:
            self._scope = await self._sink.begin()
            return self._scope
