"""The producer that an application uses."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import Self
from uuid import uuid4

import structlog

from bridge.migration.dual_write.admission import Admission
from bridge.migration.dual_write.authority import Authority
from bridge.migration.dual_write.counts import DualWriteCounts, Tally
from bridge.migration.dual_write.course import Course, Parts, running
from bridge.migration.dual_write.errors import ClosedError, SwapError
from bridge.migration.dual_write.intake import Intake, Written
from bridge.migration.dual_write.journal import Journal
from bridge.migration.dual_write.journal_file import Roles
from bridge.migration.dual_write.owed import Owed
from bridge.migration.dual_write.room import Room
from bridge.migration.dual_write.settings import DualWriteSettings
from connectors.base import DUAL_WRITE_HEADER, Clock, Header, Observer
from connectors.counted import counted

log = structlog.get_logger(__name__)

_NEAR_MS = 1_000
_BYTES = (bytes, type(None))


class DualWriter:
    """Writes each record to an authority, and behind it to a shadow.

    A context that owns its spool and both ends, used from one event loop. Entering raises ``SpoolError`` and its kin,
    and ``UnreachableError`` or ``RefusedError`` where the authority cannot be written to; a shadow that cannot be
    reached is no error. Leaving waits for what is on its way, ``close_s`` at most; what the shadow misses then waits in
    the spool for the next start.
    """

    def __init__(
        self,
        settings: DualWriteSettings,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        observer: Observer | None = None,
    ) -> None:
        """``observer`` hears of retries and throttling at both ends."""
        self._settings = settings
        self._clock = clock or Clock()
        self._random = random or Random()
        self._observer = observer or Observer()
        self._targets = {target.label: target for target in (settings.authority, settings.shadow)}
        self._tally = Tally()
        self._opened = AsyncExitStack()
        self._inside: _Inside | None = None
        self._failure: Exception | None = None
        self._swapping = asyncio.Lock()

    async def __aenter__(self) -> Self:
        settings = self._settings
        asked = Roles(settings.authority.label, settings.shadow.label)
        async with AsyncExitStack() as opened:
            writer = f"{settings.name}-{uuid4().hex[:8]}"
            journal = await opened.enter_async_context(Journal(settings.spool, writer, asked))
            found = journal.opened
            self._tally.swaps = found.swaps
            room = Room(settings.spool_records, settings.spool_bytes)
            room.take(found.records, found.size, found.oldest_ms)
            owed = Owed(journal, found.last)
            admission = Admission(settings, found, room, self._clock, self._tally)
            intake = Intake(journal, admission, room, owed, self._clock, self._tally, settings.in_flight_bytes)
            parts = Parts(
                journal,
                owed,
                intake,
                self._tally,
                self._clock,
                self._random,
                self._observer,
                self._clock.monotonic() + settings.settle_s,
                self._give_up,
            )
            course = Course(parts, self._targets, found.roles)
            intake.authority = await course.open()
            self._inside = inside = _Inside(parts, admission, room, course)
            opened.push_async_callback(inside.close_course)
            await course.follow()
            await opened.enter_async_context(running("dual-write intake", intake.run(), self._give_up))
            self._opened = opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        inside = self._entered
        try:
            # Nothing comes of waiting for one that has ended.
            async with asyncio.timeout(self._settings.close_s if self._failure is None else 0):
                await inside.parts.intake.idle()
                await inside.parts.intake.settled()
        except TimeoutError:
            log.warning("left before all was written", waiting=inside.parts.intake.waiting, owed=inside.room.records)
        finally:
            self._give_up(ClosedError("send", "the writer was left"))
            try:
                await inside.parts.journal.write()
            finally:
                self._inside = None
                await self._opened.aclose()

    async def send(
        self,
        key: bytes | None,
        value: bytes | None,
        *,
        headers: Iterable[Header] = (),
        timestamp_ms: int | None = None,
    ) -> Written:
        """Write a record, and return once the authority has it durably. Records of a key stand in the order of calls.

        Waits as long as the authority takes, however long that is away; an own deadline is for the caller to set. A
        cancelled call may have been written. ``timestamp_ms`` is since the epoch; left out: now.

        Raises ``RejectedError`` where the authority can never take it, ``SpoolError`` where it could not be journalled
        and so was not sent, ``RefusedError`` where a person must act at the authority, which ends the writer, and
        ``ClosedError`` on one that has ended. After the last two it is not certain whether it was written.
        """
        if self._failure is not None:
            raise ClosedError("send", f"the writer has ended: {self._failure}", "enter another one") from self._failure
        own = tuple(headers)
        _check(key, value, own)
        time_ms = self._clock.now_ms() if timestamp_ms is None else timestamp_ms
        return await self._entered.parts.intake.add(key, value, time_ms, own)

    async def swap(self, *, timeout_s: float = 60.0, pause_s: float = 5.0) -> None:
        """Exchange the roles: from the return on the shadow is the authority, also after a restart.

        Waits up to ``timeout_s`` until the shadow is close, then holds records back, for ``pause_s`` at the most, until
        both ends have the same. Raises ``SwapError`` where that takes longer or the shadow misses records for good, and
        ``ConnectorError`` where the new authority cannot be written to; the roles are as they were then. A crash leaves
        the roles as they were or exchanged, and nothing between. Cancelled once records are held back, it ends first.
        """
        async with self._swapping:
            inside = self._entered
            _check_whole(inside.admission)
            following = Course(inside.parts, self._targets, inside.course.roles.exchanged)
            try:
                authority = await following.open()
                await self._until_near(inside.room, timeout_s)
                passing = asyncio.create_task(self._pass_on(inside, following, authority, pause_s))
                try:
                    await asyncio.shield(passing)
                finally:
                    # Also where nobody waits any more: the file's roles and those of this process must not differ.
                    await asyncio.wait([passing])
            finally:
                if inside.course is not following:
                    await following.close()

    async def mend(self) -> None:
        """Let the shadow have everything again, from the next record on.

        What it missed while it was cut off, or keys were broken, it goes on missing: bring that there first, or
        ``verify`` names it.
        """
        inside = self._entered
        async with inside.parts.intake.turn:
            await inside.parts.journal.mend()
            inside.admission.mend()

    def counts(self) -> DualWriteCounts:
        """What was done so far. May be called from any thread. Raises ``ClosedError`` where it is not entered."""
        inside, tally = self._entered, self._tally
        room, roles = inside.room, inside.course.roles
        lag_ms = max(0, self._clock.now_ms() - room.since_ms) if room.records else 0
        return DualWriteCounts(
            authority=roles.authority,
            shadow=roles.shadow,
            accepted=tally.accepted,
            authority_written=tally.authority_written,
            authority_rejected=tally.authority_rejected,
            waiting=inside.parts.intake.waiting,
            shadow_written=tally.shadow_written,
            shadow_rejected=dict(tally.shadow_rejected),
            shadow_skipped=tally.shadow_skipped,
            spool_records=room.records,
            spool_bytes=room.size,
            shadow_lag_s=lag_ms / 1000,
            broken_keys=len(inside.admission.broken),
            is_blocked=inside.admission.blocked_since is not None,
            healed=dict(tally.healed),
            look_backs=tally.look_backs,
            swaps=tally.swaps,
            shadow_trouble=tally.shadow_trouble,
        )

    @property
    def _entered(self) -> "_Inside":
        if self._inside is None:
            raise ClosedError("use the writer", "it is not entered", "async with DualWriter(…) as writer")
        return self._inside

    def _give_up(self, error: Exception) -> None:
        """End with ``error``: who waits is told, and who comes later too."""
        if self._failure is None:
            self._failure = error
            if not isinstance(error, ClosedError):
                log.error("the dual writer has ended", error=str(error))
        if self._inside is not None:
            self._inside.parts.intake.fail(error)

    async def _pass_on(self, inside: "_Inside", following: Course, authority: Authority, pause_s: float) -> None:
        """Exchange the roles while nothing is under way. Raises ``SwapError`` and ``SpoolError`` with nothing done."""
        async with inside.parts.intake.turn:
            await self._until_even(inside, pause_s)
            await inside.parts.journal.exchange(following.roles)
            inside.parts.intake.authority = authority
            former, inside.course = inside.course, following
            self._tally.swaps += 1
        await former.close()
        await following.follow()

    async def _until_near(self, room: Room, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while room.records and self._clock.now_ms() - room.since_ms > _NEAR_MS:
                    await room.changed()
        except TimeoutError:
            raise SwapError(
                "swap",
                f"the shadow was still {counted(room.records, 'record')} behind after {timeout_s:g} s",
                f"see why: {self._tally.shadow_trouble or 'it is slow'}; then try again",
            ) from None

    async def _until_even(self, inside: "_Inside", pause_s: float) -> None:
        """Both ends have all. Nothing new is journalled meanwhile."""
        try:
            async with asyncio.timeout(pause_s):
                await inside.parts.intake.settled()
        except TimeoutError:
            raise SwapError("swap", f"both ends were not even within {pause_s:g} s", "try again") from None
        _check_whole(inside.admission)
        await inside.parts.journal.write()


class _Inside:
    """What there is between entering and leaving."""

    def __init__(self, parts: Parts, admission: Admission, room: Room, course: Course) -> None:
        self.parts = parts
        self.admission = admission
        self.room = room
        self.course = course

    async def close_course(self) -> None:
        """Close the ends, whichever roles they have by now."""
        await self.course.close()


def _check(key: object, value: object, headers: tuple[tuple[object, object], ...]) -> None:
    """Here, where only the caller is concerned: what cannot be journalled would fail others with it."""
    if not isinstance(key, _BYTES) or not isinstance(value, _BYTES):
        raise TypeError("key and value are bytes or None")
    for name, text in headers:
        if not isinstance(name, str) or not isinstance(text, _BYTES):
            raise TypeError("headers are pairs of str, and bytes or None")
        if name == DUAL_WRITE_HEADER:
            raise ValueError(f"header {DUAL_WRITE_HEADER} is the writer's own")


def _check_whole(admission: Admission) -> None:
    if admission.blocked_since is not None or admission.broken:
        raise SwapError(
            "swap",
            f"the shadow misses records: {counted(len(admission.broken), 'broken key')}, "
            f"{'cut off' if admission.blocked_since is not None else 'not cut off'}",
            "bring to it what verify names, then mend",
        )
