"""All steps of a mirror as one."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from bridge.transforms.own_headers import OwnHeaders
from connectors.base import Batch, Clock, Observer, Rejected
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

    async def apply(self, batch: Batch) -> Transformed:
        own = OwnHeaders(batch)
        given, dropped, rejected = own.rest, Counter[str](), dict[int, Rejected]()
        for step in self._steps:
            if not len(given):
                break
            made = await self._timed(step, given)
            dropped.update(made.dropped)
            following = made.batch
            if made.rejected:
                indexes = {position: index for index, position in enumerate(batch.positions)}
                for each in made.rejected:
                    index = indexes[given.positions[each.index]]
                    rejected.setdefault(index, replace(each, index=index))
                following = _without(following, {batch.positions[index] for index in rejected})
            given = following
        in_order = tuple(rejected[index] for index in sorted(rejected))
        return Transformed(_numbered(own.put_back(given)), dropped, in_order)

    async def _timed(self, step: Transform, batch: Batch) -> Transformed:
        since_s = self._clock.monotonic()
        self._at_work[batch.partition] = step.name
        try:
            return await step.apply(batch)
        finally:
            del self._at_work[batch.partition]
            self._observer.transformed(step.name, self._clock.monotonic() - since_s)


def _without(batch: Batch, left_out: set[str]) -> Batch:
    kept = [index for index, position in enumerate(batch.positions) if position not in left_out]
    return batch if len(kept) == len(batch) else batch.pick(kept)


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
