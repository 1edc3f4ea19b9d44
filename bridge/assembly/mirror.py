"""A mirror with all it needs, opened and closed in the right order."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from bridge.assembly.ends import EndMaker
from bridge.assembly.opening import all_opened
from bridge.assembly.transforming import chain_of
from bridge.config import Configuration
from bridge.engine.mirror import Ends, Mirror
from bridge.engine.policy import OnError, OnGap, OnLoop, Policy
from bridge.engine.tracing import NO_TRACER, Tracer
from bridge.keeping.worker import Keeping, kept_by
from bridge.pacing.paced import PacedSource
from bridge.pacing.quota import Quota, Rates
from connectors.base import Clock, Observer, SettingsError, Sink, Source

T = TypeVar("T")

log = logging.getLogger(__name__)


def _as_it_is(end: T) -> T:
    return end


@dataclass(frozen=True, slots=True)
class Job:
    """Work with an end. ``around`` makes its source of the mirror's, ``into`` its sink."""

    around: Callable[[Source], Source] = _as_it_is
    into: Callable[[Sink], Sink] = _as_it_is
    replay: str | None = None
    """The id under which a range is sent again; None: it is mirrored."""
    bounded: bool = False
    """Whether it is what the bounds in the checkpoints hold."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything one mirror needs, made but not opened: making it connects to nothing."""

    mirror: Mirror
    ends: Ends
    keeping: Keeping

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Own the checkpoints, then reach all ends at once; on leaving close them, the checkpoints last.

        The checkpoints come first, so that beside a running mirror of the same name nothing is touched. Raises
        ``StoreBusyError`` there, and ``UnreachableError`` or ``RefusedError`` within ``OPENING_S``.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.keeping.store)
            if self.keeping.writer is not None:
                await stack.enter_async_context(self.keeping.writer)
            ends = {
                "source": self.ends.source,
                "sink": self.ends.sink,
                "dead letter": self.ends.dead_letter,
                "transforms": self.ends.transform,
            }
            await all_opened(stack, {name: end for name, end in ends.items() if end is not None})
            self._check_places()
            await self._warn_of_sizes()
            await stack.enter_async_context(self.keeping.coordinator)
            yield

    def _check_places(self) -> None:
        """Names and addresses may hide that both ends are one place, which would mirror itself without end."""
        if self.ends.source.address == self.ends.sink.address:
            raise SettingsError(
                "open the mirror",
                f"source and sink are the same: {self.ends.source.address}",
                "name another stream or topic as the sink",
            )

    async def _warn_of_sizes(self) -> None:
        """Say it now if the source's largest record would be refused: it may come after months."""
        largest = self.ends.source.largest_record
        if largest is not None and (cause := self.ends.sink.too_small_for(largest)):
            await asyncio.to_thread(log.warning, "message-size: %s for the source's largest record", cause)


def assemble(
    configuration: Configuration,
    *,
    observer: Observer,
    clock: Clock,
    random: Random,
    index: int = 0,
    job: Job | None = None,
    tracer: Tracer = NO_TRACER,
) -> Assembly:
    """``index`` tells the workers of one supervisor apart. With a ``job`` it does that instead of mirroring on."""
    keeping = kept_by(configuration, clock, index)
    made = EndMaker(configuration, keeping, clock, random, observer)
    source, sink, policy = made.source(), made.sink(), policy_of(configuration)
    if job is not None:
        source, sink = job.around(source), job.into(sink)
        policy = dataclasses.replace(policy, replay=job.replay, bounded=job.bounded)
    paced = _paced(configuration, source, clock, lambda: mirror.share)
    ends = Ends(paced, sink, made.dead_letter(), chain_of(configuration, clock, observer))
    mirror = Mirror(ends, keeping.store, keeping.coordinator, policy, clock=clock, random=random, tracer=tracer)
    return Assembly(mirror, ends, keeping)


def _paced(configuration: Configuration, source: Source, clock: Clock, share: Callable[[], float]) -> Source:
    """``source`` within the limits that are set, of which a worker has its ``share``; without any, as it is."""
    limits = configuration.limits
    if limits.records_per_second is None and limits.bytes_per_second is None:
        return source
    rates = Rates(limits.records_per_second, limits.bytes_per_second)
    return PacedSource(source, Quota(rates, clock, share), clock)


def policy_of(configuration: Configuration) -> Policy:
    return Policy(
        checkpoint_interval_s=configuration.commit_interval,
        memory=configuration.limits.memory,
        on_gap=OnGap(configuration.on_gap),
        on_error=OnError(configuration.on_error),
        on_loop=OnLoop(configuration.on_loop),
        provenance=configuration.sends_origins,
    )
