"""A step between two schema registries, for those who install the extra ``schemas``."""

import asyncio
from types import TracebackType
from typing import Self

from connectors.base import Batch, Clock, SettingsError
from connectors.schemas.settings import SchemaSettings
from connectors.transform import Transform, Transformed


class SchemasStep(Transform):
    """Nobody else loads what it needs; whoever asks for it and does not have it is told on entering."""

    def __init__(self, settings: SchemaSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._step: Transform

    @property
    def name(self) -> str:
        return "schemas"

    async def __aenter__(self) -> Self:
        self._step = await asyncio.to_thread(_made, self._settings, self._clock)
        await self._step.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._step.__aexit__(kind, error, trace)

    def look_again(self) -> None:
        self._step.look_again()

    async def apply(self, batch: Batch) -> Transformed:
        return await self._step.apply(batch)


def _made(settings: SchemaSettings, clock: Clock) -> Transform:
    try:
        from connectors.schemas.making import step  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            "open transforms[].schemas", f"{error.name} is not installed", "install kmbridge[schemas]"
        ) from error
    return step(settings, clock)
