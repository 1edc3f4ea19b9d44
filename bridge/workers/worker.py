"""One worker as its supervisor sees it: a process which may live more than once."""

import asyncio
import signal
import socket
from asyncio import StreamWriter
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import structlog

from bridge.control.order import Answer, Order
from bridge.engine.left import left_behind
from bridge.engine.passing import OrderError
from bridge.engine.status import LaneStatus, MirrorState
from bridge.workers.channel import Reply, Report, ToWorker, framed, from_worker
from bridge.workers.merged import NOTHING, totals
from connectors.base import Clock

FAILED = 1

SILENT_S = 30.0
"""A worker that has not reported for so long does not work."""

_LOOK_S = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Life:
    """How the process ended, and what it had come to."""

    code: int
    """Its exit code; where a signal ended it the signal's number, negative."""
    reported: bool
    """One that never did had not begun to work."""
    ready_s: float | None
    """For how long it was ready; None: never."""

    @property
    def cause(self) -> str:
        return f"exit code {self.code}" if self.code >= 0 else _signal_name(-self.code)


class Worker:
    """``command`` is started with the channel as its standard input, in a session of its own: what a terminal sends to
    all its processes reaches the supervisor alone.
    """

    def __init__(self, index: int, command: Sequence[str], clock: Clock) -> None:
        self.index = index
        self.lives = 0
        self.last_code: int | None = None
        """Of the last life that ended."""
        self.past = NOTHING
        """The totals of lives that ended."""
        self.report: Report | None = None
        """The latest of the present life."""
        self.left: tuple[LaneStatus, ...] = ()
        """What the last life worked on, until the next one is ready."""
        self._command = command
        self._clock = clock
        self._process: Process | None = None
        self._channel: StreamWriter | None = None
        self._heard_s = 0.0
        self._ready_since_s: float | None = None
        self._is_drained = False
        self._asked = 0
        """How many orders were sent to the present life."""
        self._replies: dict[int, asyncio.Future[Reply]] = {}
        """Those that are waited for, by the number of the order."""

    @property
    def is_ready(self) -> bool:
        """Whether it owns work, or waits for some."""
        state = None if self.report is None else self.report.status.state
        return state is MirrorState.RUNNING and self.silent_s < SILENT_S

    @property
    def owns_its_lanes(self) -> bool:
        """Whether it told of lanes that are its own: one that its group has lost tells of what it had."""
        return self.report is not None and self.report.status.state is not MirrorState.STARTING

    @property
    def silent_s(self) -> float:
        """Time since it was heard of; 0 while there is no process."""
        return 0.0 if self._process is None else self._clock.monotonic() - self._heard_s

    def drain(self) -> None:
        """Ask it to drain, now or as soon as it is started. Safe to call twice."""
        self._is_drained = True
        if self._channel is not None and self._channel.can_write_eof():
            self._channel.write_eof()

    def has_lane(self, partition: str) -> bool:
        """Whether it told, when it reported last, that it works on ``partition``."""
        lanes = () if self.report is None or not self.owns_its_lanes else self.report.status.lanes
        return any(lane.partition == partition for lane in lanes)

    async def carry_out(self, order: Order) -> Answer:
        """As promised by ``Control``, by the process. One that falls silent is not waited for: it may have done it."""
        if self._channel is None or not self._channel.can_write_eof() or self._is_drained:
            raise self._gone(order, "it is ending")
        self._asked = number = self._asked + 1
        self._replies[number] = replied = asyncio.Future[Reply]()
        self._channel.write(framed(ToWorker(number, order)))
        try:
            while not (await asyncio.wait([replied], timeout=_LOOK_S))[0]:
                if self.silent_s >= SILENT_S:
                    raise self._gone(order, f"it has not reported for {self.silent_s:.0f} s")
            reply = replied.result()
        finally:
            self._replies.pop(number, None)
        if reply.answer is None:
            raise reply.refusal.error() if reply.refusal is not None else self._gone(order, "it gave no answer")
        return reply.answer

    def kill(self) -> None:
        """End it at once. Safe to call from a signal handler, and when there is no process."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def live(self) -> Life:
        """Start the process, listen to it, and return when it has ended. Cancelling this kills it."""
        self.lives += 1
        ours, theirs = socket.socketpair()
        with ours:
            try:
                with theirs:
                    self._process = await asyncio.create_subprocess_exec(
                        *self._command, stdin=theirs.fileno(), start_new_session=True
                    )
            except OSError as error:
                log.error("a worker cannot be started", worker=self.index, error=str(error))
                return self._ended(FAILED)
            self._heard_s = self._clock.monotonic()
            watching = asyncio.create_task(self._watch(), name=f"watch worker {self.index}")
            try:
                await self._listen(ours)
                code = await self._process.wait()
            finally:
                watching.cancel()
                await self._close(self._process)
        return self._ended(code)

    async def _watch(self) -> None:
        """End the process where it hangs and is to end: it will not hear of that, and the others have drained."""
        while not (self._is_drained and self.silent_s >= SILENT_S):
            await self._clock.sleep(_LOOK_S)
        self.kill()

    async def _listen(self, ours: socket.socket) -> None:
        reader, self._channel = await asyncio.open_connection(sock=ours)
        if self._is_drained:
            self.drain()
        try:
            async for message in from_worker(reader):
                if message.report is not None:
                    self._hear(message.report)
                if message.reply is not None and message.reply.number in self._replies:
                    self._replies.pop(message.reply.number).set_result(message.reply)
        except msgspec.MsgspecError as error:
            # As after an upgrade beneath a running supervisor.
            log.error("a worker's reports cannot be read", worker=self.index, error=str(error))
            self.kill()

    def _hear(self, report: Report) -> None:
        self.report = report
        self._heard_s = self._clock.monotonic()
        if report.status.state is MirrorState.RUNNING and self._ready_since_s is None:
            self._ready_since_s = self._heard_s
            self.left = ()

    async def _close(self, process: Process) -> None:
        if process.returncode is None:
            self.kill()
            await process.wait()
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _ended(self, code: int) -> Life:
        """Keep of this life what outlasts it."""
        since_s = self._ready_since_s
        life = Life(code, self.report is not None, None if since_s is None else self._clock.monotonic() - since_s)
        if self.report is not None:
            self.past = totals([self.past, self.report])
            self.left = left_behind(self.report.status.lanes, f"worker {self.index} ended: {life.cause}")
        for number, replied in self._replies.items():
            replied.set_result(Reply(number))
        self._replies.clear()
        self.report = self._process = self._ready_since_s = None
        self.last_code = code
        return life

    def _gone(self, order: Order, cause: str) -> OrderError:
        return OrderError(
            f"{order.action.value} lane {order.partition}",
            f"worker {self.index}, which has it: {cause}",
            "see kmbridge status, and say it again",
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
