"""The step that asks a handler of Lambda's."""

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

import structlog

from bridge.transforms.handlers.course import Call, Course, Terms
from bridge.transforms.handlers.fate import Fate
from bridge.transforms.handlers.handler import Handler, HandlerError
from bridge.transforms.handlers.shape import Shape
from connectors.base import Batch, Clock
from connectors.transform import Transform, Transformed

log = structlog.get_logger(__name__)


class HandlerStep(Transform):
    """Events of a lane one after the other, so that a handler sees a partition's records in their order."""

    def __init__(self, handler: Handler, shape: Shape, terms: Terms, clock: Clock) -> None:
        self._handler = handler
        self._shape = shape
        self._terms = terms
        self._clock = clock

    @property
    def name(self) -> str:
        return self._handler.name

    async def __aenter__(self) -> Self:
        await self._handler.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._handler.__aexit__(kind, error, trace)

    async def apply(self, batch: Batch) -> Transformed:
        course = Course(batch, self._shape, self._terms)
        while (call := course.next()) is not None:
            try:
                fates = await self._asked(batch, call)
            except HandlerError as error:
                pause_s = course.failed(call, str(error))
            else:
                pause_s = course.answered(call, fates)
            if pause_s:
                log.warning(
                    "handler failed, asking again", step=self.name, partition=batch.partition, at=course.position
                )
                await self._clock.sleep(pause_s)
        made = course.transformed()
        remedy = self._handler.remedy
        told = tuple(replace(each, detail=f"{self.name}: {each.detail}", remedy=remedy) for each in made.rejected)
        return replace(made, rejected=told)

    async def _asked(self, batch: Batch, call: Call) -> Sequence[Fate]:
        answer = await self._handler.call(call.event)
        return self._shape.fates(batch, call.indexes, answer)
