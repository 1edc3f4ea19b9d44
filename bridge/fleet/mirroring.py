"""One mirror in this process, until it is told to stop."""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from random import Random

import structlog

from bridge.assembly import Assembly, Halt, assemble
from bridge.config import Configuration
from bridge.control.mirror import MirrorControl
from bridge.control.order import Answer, Control, Order
from bridge.engine.mirror import MirrorFailedError
from bridge.engine.passing import OrderError
from bridge.engine.status import MirrorState, MirrorStatus
from bridge.engine.tracing import NO_TRACER, Tracer
from bridge.errors import BridgeError
from bridge.fleet.watching import Told, migration_of, no_migration
from bridge.keeping.clusters import located
from bridge.keeping.stores import described
from bridge.telemetry.counters import Counters
from bridge.telemetry.listener import pages
from bridge.telemetry.observed import ObservedMirror
from bridge.workers.merged import merged
from checkpoints.sqlite.store import default_path
from connectors.base import Clock

PROGRESS_S = 30.0

log = structlog.get_logger(__name__)


def warn(asked: Configuration) -> None:
    """Of what is allowed, and yet may surprise."""
    _warn_of_old_file(asked)
    for section, cluster in asked.clusters.items():
        if cluster.skips_certificate_checks:
            log.warning(
                "whoever answers is taken for the broker: no certificate is checked",
                mirror=asked.name,
                key=f"{section}.kafka.auth.tls.unsafe_skip_certificate_checks",
            )
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


class Mirroring(Control):
    """One run of a mirror. It can be told to stop at any time, also while the ends are still being reached."""

    def __init__(self, asked: Configuration, index: int = 0, tracer: Tracer = NO_TRACER) -> None:
        self._asked = asked
        self._index = index
        self._tracer = tracer
        self._memory = asked.limits.memory
        self._counters = Counters()
        self._assembly: Assembly | None = None
        """None as long as clusters are still being located."""
        self._halt = Halt(self._drain)
        self._migration: Told = no_migration
        self.observed = ObservedMirror(
            asked.name,
            self._status,
            self._counters.snapshot,
            source=asked.source.end.place,
            sink=asked.sink.end.place,
            cutover=self._cutover,
        )

    def stop(self, asked_by: str) -> None:
        """Drain; where the ends are still being reached, just end that. Safe to call twice."""
        if self._halt.ask():
            log.info("draining", asked_by=asked_by)

    def confine(self, memory: int) -> None:
        """At most ``memory`` bytes of records are on their way from now on."""
        self._memory = memory
        if self._assembly is not None:
            self._assembly.mirror.confine(memory)

    async def carry_out(self, order: Order) -> Answer:
        """As promised by ``Control``."""
        if self._assembly is None:
            raise OrderError(f"{order.action.value} lane {order.partition}", "the mirror is starting", "try again soon")
        return await MirrorControl(self._assembly.mirror, self._assembly.ends.source).carry_out(order)

    async def run(self, address: str | None) -> None:
        """Return when ``stop`` has taken effect. ``address`` is where the telemetry is served, if anywhere."""
        if not self._halt.is_asked:
            with self._halt.heeded():
                await self._run(address)
        log.info("stopped", records=self._status().records_written)

    async def _run(self, address: str | None) -> None:
        asked = await located(self._asked)
        self._assembly = assembly = assemble(
            asked,
            observer=self._counters,
            clock=Clock(),
            random=Random(),
            index=self._index,
            tracer=self._tracer,
        )
        assembly.mirror.confine(self._memory)
        # Nobody looks at it where nothing is served.
        migration = nullcontext(no_migration) if address is None else migration_of(asked)
        async with migration as self._migration, assembly.opened():
            self._halt.under_way()
            _log_start(asked, assembly, address)
            await _mirror(assembly)

    def _drain(self) -> None:
        if self._assembly is not None:
            self._assembly.mirror.drain()

    def _cutover(self) -> Mapping[str, object] | None:
        return self._migration()

    def _status(self) -> MirrorStatus:
        if self._assembly is None:
            return merged(MirrorState.STARTING, [], [], ())
        return self._assembly.mirror.status()


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
        start=asked.source.begins,
        **pages(address),
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
