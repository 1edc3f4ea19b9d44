"""What a process tells beside its HTTP endpoints, as its configuration asks for."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from bridge.cli.lazy import lasting
from bridge.config import Configuration
from bridge.telemetry.emf import EmfSettings, emitting
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.traces import Tracers, TraceSettings, check_installed, tracing
from connectors.base import Clock


def prepare(asked: Configuration) -> None:
    """Load what ``asked`` needs and others do not. Blocks. Raises ``UsageError`` where it is not installed."""
    if _traces(asked) is not None:
        with lasting():
            check_installed()


def exporting(asked: Configuration, mirrors: Sequence[ObservedMirror]) -> AbstractAsyncContextManager[None]:
    """Tell CloudWatch of ``mirrors`` while inside, if that is asked for."""
    emf = None if asked.telemetry is None else asked.telemetry.emf
    settings = None if emf is None else EmfSettings(emf.namespace, emf.interval, emf.per_partition, emf.dimensions)
    return emitting(settings, mirrors, Clock())


def followed(asked: Configuration, own_version: str) -> AbstractAsyncContextManager[Tracers]:
    """Follow the batches of mirrors while inside, if that is asked for."""
    return tracing(_traces(asked), own_version)


def _traces(asked: Configuration) -> TraceSettings | None:
    traces = None if asked.telemetry is None else asked.telemetry.traces
    return None if traces is None else TraceSettings(traces.endpoint, traces.sample_ratio)
