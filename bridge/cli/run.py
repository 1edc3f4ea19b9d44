"""``kmbridge run``: one mirror in one process, until it is told to stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from random import Random
from typing import Annotated

import structlog
import typer

from bridge.assembly import Assembly, assemble
from bridge.cli.arguments import Name, Settings, Targets, configuration
from bridge.cli.stop import stopping
from bridge.config import Configuration
from bridge.engine.mirror import MirrorFailedError
from bridge.errors import BridgeError, UsageError, not_yet
from bridge.telemetry.counters import Counters
from bridge.telemetry.http import TelemetryServer
from bridge.telemetry.logging import LogFormat, configure_logging
from bridge.telemetry.observed import ObservedMirror
from connectors.base import Clock

PROGRESS_S = 30.0

log = structlog.get_logger(__name__)

Workers = Annotated[
    str, typer.Option("--workers", metavar="N|auto", help="Processes on this machine; this version has one.")
]


def run(targets: Targets, name: Name = None, settings: Settings = None, workers: Workers = "auto") -> None:
    """Mirror until told to stop.

    The first SIGTERM or SIGINT drains, saves the checkpoints and exits 0; a second leaves at once.

    Example: kmbridge run orders.yaml --set sink.kafka.compression=zstd
    """
    _check_workers(workers)
    asked = configuration(targets, name, settings)
    configure_logging(LogFormat(asked.log.format), asked.log.level)
    asyncio.run(_mirror(asked, version("kmbridge")))


def _check_workers(workers: str) -> None:
    if workers in ("1", "auto"):
        return
    if workers.isdecimal() and int(workers) > 1:
        raise UsageError(f"--workers {workers}", not_yet("several workers", "leave the option out, or use 1"))
    raise UsageError(f"--workers {workers}", "allowed: a number from 1 on, or auto")


async def _mirror(asked: Configuration, own_version: str) -> None:
    counters = Counters()
    assembly = assemble(asked, observer=counters, clock=Clock(), random=Random())
    observed = ObservedMirror(asked.name, assembly.mirror.status, counters)
    with structlog.contextvars.bound_contextvars(mirror=asked.name):
        async with _served(asked, observed, own_version) as address:
            await _until_stopped(asked, assembly, address)


@asynccontextmanager
async def _served(asked: Configuration, observed: ObservedMirror, own_version: str) -> AsyncIterator[str | None]:
    """The telemetry's own address while it is served; None where it is turned off."""
    listen = asked.http.listen if asked.http is not None else None
    if listen is None:
        yield None
        return
    async with TelemetryServer(listen, [observed], own_version) as server:
        host = f"[{listen[0]}]" if ":" in listen[0] else listen[0]
        yield f"http://{host}:{server.port}"


async def _until_stopped(asked: Configuration, assembly: Assembly, address: str | None) -> None:
    """Mirror until a signal drains. One that comes while the ends are still being reached just ends that."""
    opening = asyncio.current_task()
    is_open = False

    def stop(signal_name: str) -> None:
        log.info("draining", signal=signal_name)
        if is_open:
            assembly.mirror.drain()
        elif opening is not None:
            opening.cancel()

    with stopping(stop):
        try:
            async with assembly.opened():
                is_open = True
                await _log_start(asked, assembly, address)
                await _run(assembly)
        except asyncio.CancelledError:
            if is_open:
                raise
    log.info("stopped", records=assembly.mirror.status().records_written)


async def _run(assembly: Assembly) -> None:
    progress = asyncio.create_task(_log_progress(assembly), name="progress")
    try:
        await assembly.mirror.run()
    except MirrorFailedError as error:
        raise BridgeError("mirror", str(error)) from error
    finally:
        progress.cancel()


async def _log_start(asked: Configuration, assembly: Assembly, address: str | None) -> None:
    saved = await assembly.store.load()
    positions = f"checkpoints of {len(saved)} partitions" if saved else f"start: {asked.source.kinesis.start}"
    log.info(
        "mirroring",
        source=assembly.source.address,
        sink=assembly.sink.address,
        positions=positions,
        status=None if address is None else f"{address}/status",
        metrics=None if address is None else f"{address}/metrics",
    )


async def _log_progress(assembly: Assembly) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        status = assembly.mirror.status()
        log.info(
            "progress",
            records=status.records_written,
            records_per_second=round(status.records_per_second, 1),
            lag_s=max((lane.lag_ms for lane in status.lanes), default=0) / 1000,
            lanes=len(status.lanes),
        )
