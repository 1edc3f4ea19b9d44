"""What a process tells beside its HTTP endpoints, as its configuration asks for."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from bridge.config import Configuration
from bridge.telemetry.emf import EmfSettings, emitting
from bridge.telemetry.observed import ObservedMirror
from connectors.base import Clock


def exporting(asked: Configuration, mirrors: Sequence[ObservedMirror]) -> AbstractAsyncContextManager[None]:
    """Tell CloudWatch of ``mirrors`` while inside, if that is asked for."""
    emf = None if asked.telemetry is None else asked.telemetry.emf
    settings = None if emf is None else EmfSettings(emf.namespace, emf.interval, emf.per_partition, emf.dimensions)
    return emitting(settings, mirrors, Clock())
