"""Tells CloudWatch of all mirrors of a process, now and then."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import structlog

from bridge.telemetry.emf.document import Document, Frame, documents
from bridge.telemetry.emf.increase import Increase
from bridge.telemetry.emf.output import Output, standard_output
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.samples import samples
from connectors.base import Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EmfSettings:
    """What goes to CloudWatch, and how often."""

    namespace: str = "kmbridge"
    interval_s: float = 60.0
    per_partition: bool = False
    """Metrics of each partition beside those over all partitions; each of them is paid for."""
    dimensions: Mapping[str, str] | None = None
    """More of them for every metric, as the environment's name."""


class Emitter:
    """Turns what ``mirrors`` tell into documents; it remembers what it has told of each."""

    def __init__(self, settings: EmfSettings, mirrors: Sequence[ObservedMirror], clock: Clock) -> None:
        """``mirrors`` may change between two calls."""
        self._settings = settings
        self._mirrors = mirrors
        self._clock = clock
        self._increases: dict[str, Increase] = {}

    def documents(self) -> list[Document]:
        """What is to be told now: counters as what they grew by since the last call."""
        self._increases = {each.name: self._increases.get(each.name, Increase()) for each in self._mirrors}
        return [document for mirror in self._mirrors for document in self._of(mirror)]

    def _of(self, mirror: ObservedMirror) -> Sequence[Document]:
        settings, increase = self._settings, self._increases[mirror.name]
        status, now_ms = mirror.status(), self._clock.now_ms()
        frame = Frame(settings.namespace, mirror.name, settings.dimensions or {}, settings.per_partition)
        told = increase.of(samples(mirror, status, now_ms))
        return [*documents(frame, now_ms, told, increase.latencies(status.latency))]


@asynccontextmanager
async def emitting(
    settings: EmfSettings | None,
    mirrors: Sequence[ObservedMirror],
    clock: Clock,
    opened: Callable[[], int | None] = standard_output,
) -> AsyncIterator[None]:
    """Write documents every interval while inside, and a last time on leaving; nothing where ``settings`` is None.

    ``opened`` gives the descriptor to write to, which is closed on leaving. Whatever becomes of it, this goes on.
    """
    descriptor = None if settings is None else opened()
    if settings is None or descriptor is None:
        if settings is not None:
            log.warning("standard output is closed: no metrics are written to it")
        yield
        return
    output, emitter = Output(descriptor), Emitter(settings, mirrors, clock)
    task = asyncio.create_task(_repeat(emitter, output, settings.interval_s, clock), name="metrics")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        _emit(emitter, output)
        if await output.leave():
            os.close(descriptor)


async def _repeat(emitter: Emitter, output: Output, interval_s: float, clock: Clock) -> None:
    while True:
        await clock.sleep(interval_s)
        _emit(emitter, output)


def _emit(emitter: Emitter, output: Output) -> None:
    output.write([msgspec.json.encode(document) for document in emitter.documents()])
