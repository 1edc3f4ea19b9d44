"""One mirror of a fleet, which may live more than once."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import structlog

from bridge.config import Configuration
from bridge.control.order import Control
from bridge.engine.left import by_now, left_behind
from bridge.engine.nap import nap
from bridge.engine.retry import Backoff
from bridge.engine.status import LaneStatus, MirrorState, MirrorStatus
from bridge.errors import BridgeError
from bridge.telemetry.counters import Counts
from bridge.telemetry.observed import ObservedMirror
from bridge.workers.channel import Report
from bridge.workers.merged import NOTHING, merged, totals
from bridge.workers.supervisor import WELL_S
from checkpoints.base import CheckpointError
from connectors.base import Clock, ConnectorError

_LEAST = 2**20

log = structlog.get_logger(__name__)


class Life(Control, Protocol):
    """One run of a mirror, which is not run twice."""

    observed: ObservedMirror

    @property
    def has_worked(self) -> bool:
        """Whether it has been ready at any time: it owned work then, or waited for some."""

    async def run(self, address: str | None) -> None:
        """Return when ``stop`` has taken effect; raise what ends the mirror before that.

        ``address`` is where the telemetry is served, if anywhere.
        """

    def stop(self, asked_by: str) -> None:
        """Drain, also before ``run``. Safe to call twice."""

    def confine(self, memory: int) -> None:
        """At most ``memory`` bytes of records are on their way from now on."""


class Member:
    """Starts its mirror again after each failure, with a delay that grows. Its totals count on through all lives."""

    def __init__(
        self, asked: Configuration, begin: Callable[[Configuration], Life], *, clock: Clock, backoff: Backoff
    ) -> None:
        """``begin`` makes one life, which is run once."""
        self.name = asked.name
        self.observed = ObservedMirror(
            asked.name,
            self.status,
            self.counts,
            restarts=self.restarts,
            cutover=self.cutover,
            source=asked.source.end.place,
            sink=asked.sink.end.place,
        )
        self.undrained: Exception | None = None
        """What ended the last life after ``stop``, where it did not drain."""
        self.is_wanted = True
        """Whether it is started again when it fails."""
        self._asked = asked
        self._begin = begin
        self._clock = clock
        self._backoff = backoff
        self._memory = asked.limits.memory
        self._life: Life | None = None
        self._failure: Exception | None = None
        """What ended the last life, or one before it where that one never worked."""
        self._lives = 0
        self._past = NOTHING
        self._left: tuple[LaneStatus, ...] = ()
        self._stopping = asyncio.Event()

    @property
    def failure(self) -> Exception | None:
        """Why it does not work: what ended its last life, as long as it has not been at work since. None: it does."""
        works_again = self._life is not None and self._life.has_worked
        return None if works_again else self._failure

    @property
    def control(self) -> Control | None:
        """Who carries out orders to its lanes; None between two lives."""
        return self._life

    def confine(self, memory: int) -> None:
        """At most ``memory`` bytes of records, but never less than 1 MiB, are on their way from now on."""
        self._memory = max(memory, _LEAST)
        if self._life is not None:
            self._life.confine(self._memory)

    def stop(self, asked_by: str) -> None:
        """Drain it, and start it no more. Safe to call twice."""
        self._stopping.set()
        if self._life is not None:
            self._life.stop(asked_by)

    async def keep(self, address: str | None, failed: Callable[[], None]) -> None:
        """Mirror until ``stop``, or until it fails and is not wanted any more. ``failed`` hears of each failure.

        No failure of the mirror leaves this: the other mirrors go on.
        """
        with structlog.contextvars.bound_contextvars(mirror=self.name):
            while not self._stopping.is_set():
                failure = await self._live(address)
                if self._stopping.is_set():
                    self.undrained = failure
                if failure is None or not self.is_wanted or self._stopping.is_set():
                    return
                self._failure = failure
                failed()
                await self._pause()

    def status(self) -> MirrorStatus:
        present = [] if self._life is None else [_report(self._life.observed)]
        if (failure := self.failure) is not None:
            # Not starting: whoever waits for this mirror may wait long, and the others are at work.
            whole = merged(MirrorState.FAILED, [self._past], present, by_now(self._left, self._clock.now_ms()))
            return replace(whole, error=str(failure))
        state = present[0].status.state if present else MirrorState.STARTING
        return merged(state, [self._past], present, ())

    def counts(self) -> Counts:
        present = [] if self._life is None else [_report(self._life.observed)]
        return totals([self._past, *present]).counts

    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self._lives - 1)

    def cutover(self) -> Mapping[str, object] | None:
        """Where its migration stands; None between two lives."""
        return None if self._life is None else self._life.observed.cutover()

    async def _live(self, address: str | None) -> Exception | None:
        """One life; what ended it, where it was not ``stop``."""
        limits = self._asked.limits.model_copy(update={"memory": self._memory})
        began_s = self._clock.monotonic()
        self._lives += 1
        try:
            self._life = life = self._begin(self._asked.model_copy(update={"limits": limits}))
            await life.run(address)
        except (BridgeError, ConnectorError, CheckpointError) as error:
            log.error("the mirror failed, the others go on", error=str(error))
            return error
        except Exception as error:  # noqa: BLE001 - the border between mirrors
            # A bug in one of them must not end all the others either.
            # In a thread, for a traceback is put together from files.
            await asyncio.to_thread(log.error, "the mirror failed, the others go on", exc_info=error)
            return error
        finally:
            self._end(began_s)
        return None

    def _end(self, began_s: float) -> None:
        """Keep of this life what outlasts it."""
        if self._life is None:
            return
        report = _report(self._life.observed)
        if self._life.has_worked:
            self._failure = None
        if self._clock.monotonic() - began_s >= WELL_S:
            self._backoff.reset()
        self._past = totals([self._past, report])
        self._left = left_behind(report.status.lanes, "the mirror failed and is started again") or self._left
        self._life = None

    async def _pause(self) -> None:
        """Before the next life; cut short by ``stop``."""
        delay_s = self._backoff.next()
        log.info("the mirror is started again", in_s=round(delay_s, 2))
        await nap(delay_s, self._stopping)


def _report(observed: ObservedMirror) -> Report:
    return Report(observed.status(), observed.counts())
