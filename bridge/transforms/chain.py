"""All steps of a mirror as one."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from bridge.engine.crossing import Crossing
from bridge.transforms.own_headers import OwnHeaders
from connectors.base import Batch, Clock, Observer
from connectors.transform import Transform, Transformed


class Chain(Transform):
    """Each step is given what the one before it made, without the bridge's own headers: no step can lose these.

    A source record is rejected whole: where one of its parts is, the others are left out too.
    """

    def __init__(self, steps: Sequence[Transform], clock: Clock, observer: Observer) -> None:
        self._steps = steps
        self._clock = clock
        self._observer = observer
        self._opened = AsyncExitStack()
        self._at_work: dict[str, str] = {}
        """The name of the step that each partition is with."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for step in self._steps:
                await stack.enter_async_context(step)
            self._opened = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    @property
    def name(self) -> str:
        return ", ".join(step.name for step in self._steps)

    def at_work(self, partition: str) -> str:
        return self._at_work.get(partition, self.name)

    def look_again(self) -> None:
        for step in self._steps:
            step.look_again()

    async def apply(self, batch: Batch) -> Transformed:
        own, dropped = OwnHeaders(batch), Counter[str]()
        crossing = Crossing(batch, own.rest)
        for step in self._steps:
            given = crossing.sent()
            if not len(given):
                break
            made = await self._timed(step, given)
            dropped.update(made.dropped)
            refusing = Crossing(batch, given, crossing.refused).refusing(made.rejected)
            crossing = replace(refusing, made=made.batch)
        return Transformed(_numbered(own.put_back(crossing.sent())), dropped, crossing.refused)

    async def _timed(self, step: Transform, batch: Batch) -> Transformed:
        since_s = self._clock.monotonic()
        self._at_work[batch.partition] = step.name
        try:
            return await step.apply(batch)
        finally:
            del self._at_work[batch.partition]
            self._observer.transformed(step.name, self._clock.monotonic() - since_s)


def _numbered(batch: Batch) -> Batch:
    """``batch`` with the parts of split records numbered; as it is where none is split."""
    if len(set(batch.positions)) == len(batch):
        return batch
    parts: list[int] = []
    before = None
    for position in batch.positions:
        parts.append(parts[-1] + 1 if position == before else 0)
        before = position
    return replace(batch, parts=parts)
