"""A sink that writes to a topic in memory, without transactions."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from types import TracebackType

from connectors.base import (
    Batch,
    ConnectorError,
    Outcome,
    Record,
    Rejected,
    Scope,
    Sink,
)
from connectors.memory.faults import Faults
from connectors.memory.scope import MemoryScope
from connectors.memory.topic import MemoryTopic


@dataclass(slots=True)
class _Submission:
    batch: Batch
    answer: asyncio.Future[Outcome]
    delivered: int = 0


class MemorySink(Sink):
    """Writes lanes side by side, each in order, and answers in any order.

    A fault before a write breaks the scope: of what each lane has under way a random part, from its front, is written.
    The same happens to what is under way when the sink is left. ``refuses`` names the reason for records that the sink
    can never take; it knows them on ``inspect``.
    """

    def __init__(
        self,
        topic: MemoryTopic,
        faults: Faults,
        random: Random,
        *,
        refuses: Callable[[Record], str | None] | None = None,
    ) -> None:
        self._topic = topic
        self._faults = faults
        self._random = random
        self._refuses = refuses
        self._under_way: dict[str, deque[_Submission]] = {}
        self._writers: dict[str, asyncio.Task[None]] = {}
        self.generation = 0

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        writers = list(self._writers.values())
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        self._abandon()

    @property
    def identity(self) -> str:
        return f"{self._topic.name}@1"

    @property
    def address(self) -> str:
        return f"memory:{self._topic.name}"

    async def begin(self) -> Scope:
        await self._faults.before("begin", "")
        return MemoryScope(self)

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        if self._refuses is None:
            return ()
        reasons = ((index, self._refuses(record)) for index, record in enumerate(batch.records()))
        return tuple(Rejected(index, reason, f"refused: {reason}") for index, reason in reasons if reason)

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        submission = _Submission(batch, asyncio.get_running_loop().create_future())
        self._under_way.setdefault(lane, deque()).append(submission)
        if lane not in self._writers:
            self._writers[lane] = asyncio.create_task(self._write(lane), name=f"memory sink {lane}")
        return submission.answer

    async def _write(self, lane: str) -> None:
        """Write what is under way, oldest first. Ends when nothing is left, or the scope breaks."""
        waiting = self._under_way[lane]
        answered = 0
        try:
            while answered < len(waiting):
                submission = waiting[answered]
                await self._faults.before("write", lane)
                self._deliver(submission, len(submission.batch))
                answered += 1
                if answered == len(waiting) or self._random.random() < 0.5:
                    answered -= self._answer(waiting)
        except ConnectorError as error:
            self._break(error)
        finally:
            if self._writers.get(lane) is asyncio.current_task():
                del self._writers[lane]

    def _answer(self, waiting: deque[_Submission]) -> int:
        """Answer what is written of a lane, latest first; how many that were."""
        done = [submission for submission in waiting if submission.delivered == len(submission.batch)]
        for submission in reversed(done):
            if not submission.answer.done():
                submission.answer.set_result(Outcome())
        for _ in done:
            waiting.popleft()
        return len(done)

    def _deliver(self, submission: _Submission, until: int) -> None:
        for index in range(submission.delivered, until):
            self._topic.append(submission.batch.record(index))
        submission.delivered = until

    def _break(self, error: ConnectorError) -> None:
        self.generation += 1
        current = asyncio.current_task()
        for writer in self._writers.values():
            if writer is not current:
                writer.cancel()
        self._writers.clear()
        for submission in self._abandon():
            if not submission.answer.done():
                submission.answer.set_exception(error)

    def _abandon(self) -> list[_Submission]:
        """Write a random part of what is under way, from each lane's front, and forget the rest."""
        abandoned: list[_Submission] = []
        for waiting in self._under_way.values():
            left = self._random.randint(0, sum(len(each.batch) - each.delivered for each in waiting))
            for submission in waiting:
                part = min(left, len(submission.batch) - submission.delivered)
                self._deliver(submission, submission.delivered + part)
                left -= part
            abandoned.extend(waiting)
        self._under_way.clear()
        return abandoned
