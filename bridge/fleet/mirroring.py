"""One mirror in this process, until it is told to stop."""

import asyncio
from random import Random

import structlog

from bridge.assembly import Assembly, Halt, assemble
from bridge.config import Configuration
from bridge.engine.mirror import MirrorFailedError
from bridge.engine.tracing import NO_TRACER, Tracer
from bridge.errors import BridgeError
from bridge.keeping.stores import described
from bridge.telemetry.counters import Counters
from bridge.telemetry.observed import ObservedMirror
from checkpoints.sqlite import default_path
from connectors.base import Clock

PROGRESS_S = 30.0

log = structlog.get_logger(__name__)


def warn(asked: Configuration) -> None:
    """Of what is allowed, and yet may surprise."""
    _warn_of_old_file(asked)
    if asked.sink.kinesis is not None and asked.sink.kinesis.codec == "raw":
        log.warning(
            "records carry no origin: no reverse mirror beside it",
            mirror=asked.name,
            codec=asked.sink.kinesis.codec,
        )


def _warn_of_old_file(asked: Configuration) -> None:
    """Checkpoints were once kept in a file unless something else was asked for: it is not passed over in silence."""
    old = default_path(asked.name)
    if asked.checkpoints == "auto" and asked.sqlite_path is None and old.exists():
        log.warning(
            "checkpoints of this name are in a file that is not read: set checkpoints to sqlite: {path: …} to use them",
            mirror=asked.name,
            file=str(old),
        )


class Mirroring:
    """One run of a mirror. It can be told to stop at any time, also while the ends are still being reached."""

    def __init__(self, asked: Configuration, index: int = 0, tracer: Tracer = NO_TRACER) -> None:
        counters = Counters()
        self._asked = asked
        self._assembly = assemble(asked, observer=counters, clock=Clock(), random=Random(), index=index, tracer=tracer)
        self._halt = Halt(self._assembly.mirror.drain)
        self.observed = ObservedMirror(
            asked.name,
            self._assembly.mirror.status,
            counters.snapshot,
            source=asked.source.end.place,
            sink=asked.sink.end.place,
        )

    def stop(self, asked_by: str) -> None:
        """Drain; where the ends are still being reached, just end that. Safe to call twice."""
        if self._halt.ask():
            log.info("draining", asked_by=asked_by)

    def confine(self, memory: int) -> None:
        """At most ``memory`` bytes of records are on their way from now on."""
        self._assembly.mirror.confine(memory)

    async def run(self, address: str | None) -> None:
        """Return when ``stop`` has taken effect. ``address`` is where the telemetry is served, if anywhere."""
        if not self._halt.is_asked:
            with self._halt.heeded():
                await self._run(address)
        log.info("stopped", records=self._assembly.mirror.status().records_written)

    async def _run(self, address: str | None) -> None:
        async with self._assembly.opened():
            self._halt.under_way()
            _log_start(self._asked, self._assembly, address)
            await _mirror(self._assembly)


async def _mirror(assembly: Assembly) -> None:
    progress = asyncio.create_task(_log_progress(assembly), name="progress")
    try:
        await assembly.mirror.run()
    except MirrorFailedError as error:
        raise BridgeError("mirror", str(error)) from error
    finally:
        progress.cancel()


def _log_start(asked: Configuration, assembly: Assembly, address: str | None) -> None:
    log.info(
        "mirroring",
        source=assembly.ends.source.address,
        sink=assembly.ends.sink.address,
        delivery=asked.delivery,
        checkpoints=described(asked),
        start=asked.source.end.start,
        **({} if address is None else {"status": f"{address}/status", "metrics": f"{address}/metrics"}),
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
