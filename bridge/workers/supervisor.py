"""Keeps the workers of one mirror alive until told to stop, and shows them as one mirror."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bridge.control.order import Answer, Order
from bridge.engine.left import by_now
from bridge.engine.nap import nap
from bridge.engine.passing import UnknownLaneError
from bridge.engine.retry import Backoff
from bridge.engine.status import MirrorState, MirrorStatus
from bridge.telemetry.counters import Counts
from bridge.workers.merged import merged, totals
from bridge.workers.worker import FAILED, SILENT_S, Life, Worker
from connectors.base import Clock

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0

WELL_S = 60.0
"""A worker that was ready for so long has shown that it can work: its next restart is a quick one again."""

_LASTING = (2, 3)
"""Exit codes that say, before anything has worked, that a new start would not help: wrong usage, endpoint."""

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs ``count`` workers and starts those again that end by themselves, after a delay that grows.

    The mirror is running while at least one worker is ready: it owns the work of those that are not, or waits for some.
    """

    def __init__(
        self, command: Callable[[int], Sequence[str]], count: int, *, clock: Clock, backoff: Callable[[], Backoff]
    ) -> None:
        """``command`` starts the worker of an index, from 0 on; ``backoff`` makes the delays of one worker."""
        self._workers = [Worker(index, command(index), clock) for index in range(count)]
        self._clock = clock
        self._backoff = backoff
        self._draining = asyncio.Event()
        self._is_over = False
        self._code = 0

    async def run(self) -> int:
        """Return the exit code for the whole when every worker has ended. Cancelling kills them.

        0: all have drained because of ``drain``. 2 or 3: a worker ended with it in its first life, before it was ready.
        1: each worker's last end was with 1 while none is ready; or one did not drain cleanly.
        """
        async with asyncio.TaskGroup() as tasks:
            for worker in self._workers:
                tasks.create_task(self._keep(worker), name=f"worker {worker.index}")
        self._is_over = True
        return self._code

    def drain(self) -> None:
        """Ask every worker to drain, and start none any more. Safe to call twice."""
        self._draining.set()
        for worker in self._workers:
            worker.drain()

    def kill(self) -> None:
        """End every worker at once. Safe to call from a signal handler."""
        for worker in self._workers:
            worker.kill()

    def status(self) -> MirrorStatus:
        past = [worker.past for worker in self._workers]
        # Of a lane that moved from one to another its owner tells, and of several that think so who was heard of last.
        latest = sorted(self._workers, key=lambda worker: (worker.owns_its_lanes, -worker.silent_s))
        present = [worker.report for worker in latest if worker.report is not None]
        left = [lane for worker in self._workers for lane in worker.left]
        return merged(self._state(), past, present, by_now(left, self._clock.now_ms()))

    def counts(self) -> Counts:
        past = [worker.past for worker in self._workers]
        return totals([*past, *(worker.report for worker in self._workers if worker.report is not None)]).counts

    async def carry_out(self, order: Order) -> Answer:
        """As promised by ``Control``, by the worker that has the lane: of several that told so, the last one."""
        having = [worker for worker in self._workers if worker.has_lane(order.partition)]
        if not having:
            operation = f"{order.action.value} lane {order.partition}"
            raise UnknownLaneError(operation, "no worker of this process has it", "see kmbridge status")
        return await min(having, key=lambda worker: worker.silent_s).carry_out(order)

    def restarts(self) -> int:
        """How often workers were started again."""
        return sum(max(0, worker.lives - 1) for worker in self._workers)

    def trouble(self) -> str | None:
        """The workers that hang; None where all that live tell of themselves."""
        silent = [worker for worker in self._workers if worker.silent_s >= SILENT_S]
        told = [f"worker {worker.index} has not reported for {worker.silent_s:.0f} s" for worker in silent]
        return "; ".join(told) or None

    def _state(self) -> MirrorState:
        if self._is_over:
            return MirrorState.FAILED if self._code else MirrorState.STOPPED
        if self._draining.is_set():
            return MirrorState.DRAINING
        is_ready = any(worker.is_ready for worker in self._workers)
        return MirrorState.RUNNING if is_ready else MirrorState.STARTING

    async def _keep(self, worker: Worker) -> None:
        backoff = self._backoff()
        while not self._draining.is_set():
            life = await worker.live()
            if self._draining.is_set():
                self._note_drained(worker, life)
            elif code := self._final_code(worker, life):
                log.error("a worker ended, and all end with it", worker=worker.index, cause=life.cause)
                self._code = code
                self.drain()
            else:
                if life.ready_s is not None and life.ready_s >= WELL_S:
                    backoff.reset()
                delay_s = backoff.next()
                log.warning("a worker ended", worker=worker.index, cause=life.cause, restart_in_s=round(delay_s, 2))
                await nap(delay_s, self._draining)

    def _final_code(self, worker: Worker, life: Life) -> int | None:
        """The code with which the whole ends because of the end of ``worker``; None where it goes on."""
        if life.code in _LASTING and worker.lives == 1 and life.ready_s is None:
            return life.code
        if all(each.last_code == FAILED and not each.is_ready for each in self._workers):
            return FAILED
        return None

    def _note_drained(self, worker: Worker, life: Life) -> None:
        # The system may have sent the signal to every process, also to one that could not handle it yet.
        if life.code == 0 or not life.reported:
            return
        log.error("a worker did not drain", worker=worker.index, cause=life.cause)
        self._code = self._code or FAILED
