"""A mirror with all it needs, opened and closed in the right order."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

from bridge.assembly.ends import EndMaker
from bridge.assembly.opening import all_opened
from bridge.config import Configuration
from bridge.engine.mirror import Ends, Mirror
from bridge.engine.policy import OnError, OnGap, OnLoop, Policy
from bridge.keeping.worker import Keeping, kept_by
from connectors.base import Clock, Observer, SettingsError

log = logging.getLogger(__name__)


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
            ends = {"source": self.ends.source, "sink": self.ends.sink, "dead letter": self.ends.dead_letter}
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
    configuration: Configuration, *, observer: Observer, clock: Clock, random: Random, index: int = 0
) -> Assembly:
    """``index`` tells the workers of one supervisor apart."""
    keeping = kept_by(configuration, clock, index)
    made = EndMaker(configuration, keeping, clock, random, observer)
    ends = Ends(made.source(), made.sink(), made.dead_letter())
    policy = policy_of(configuration)
    mirror = Mirror(ends, keeping.store, keeping.coordinator, policy, clock=clock, random=random)
    return Assembly(mirror, ends, keeping)


def policy_of(configuration: Configuration) -> Policy:
    return Policy(
        checkpoint_interval_s=configuration.commit_interval,
        memory=configuration.limits.memory,
        on_gap=OnGap(configuration.on_gap),
        on_error=OnError(configuration.on_error),
        on_loop=OnLoop(configuration.on_loop),
        provenance=configuration.sends_origins,
    )
