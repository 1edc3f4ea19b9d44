"""OpenTelemetry traces of batches, for those who install the extra ``otel``."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bridge.engine.tracing import NO_TRACER, Tracer
from bridge.errors import UsageError

Tracers = Callable[[str], Tracer]
"""The tracer of a mirror, by its name."""


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Where traces go, and how many."""

    endpoint: str
    """Where OTLP is taken over HTTP, with the path. What else there is to set, the SDK takes from its environment."""
    sample_ratio: float = 1.0
    """Of all batches, from 0 to 1."""


def check_installed() -> None:
    """Load what traces need. Blocks for a moment. Raises ``UsageError`` where it is not installed."""
    try:
        import bridge.telemetry.traces.otel  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            "telemetry.traces", f"{error.name} is not installed", "install kmbridge[otel], or leave the key out"
        ) from error


@asynccontextmanager
async def tracing(settings: TraceSettings | None, version: str) -> AsyncIterator[Tracers]:
    """What follows batches while inside; without ``settings`` nothing does, at no cost.

    On leaving what is not exported yet gets a moment for that. Raises as ``check_installed``, which is to be called
    where blocking does no harm.
    """
    if settings is None:
        yield lambda _: NO_TRACER
        return
    check_installed()
    from bridge.telemetry.traces.otel import Export  # noqa: PLC0415

    export = Export(settings.endpoint, settings.sample_ratio, version)
    try:
        yield export.tracer
    finally:
        await export.leave()
