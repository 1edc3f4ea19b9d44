"""Many mirrors in one process: each lives and fails by itself."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.config import Configuration, Family, Mirrors
from bridge.config.errors import ConfigurationError
from bridge.control.order import Control
from bridge.engine.nap import nap
from bridge.engine.retry import Backoff
from bridge.fleet.member import Life, Member
from bridge.telemetry.observed import ObservedMirror
from connectors.base import Clock, ConnectorError

LONGEST_DELAY_S = 60.0

LOOK_S = 60.0
"""How often names that match a pattern are looked for."""

Names = Callable[[Family], Awaitable[set[str]]]
"""All streams, or topics, where a family's source is. Raises ``ConnectorError``."""

log = structlog.get_logger(__name__)


class Fleet:
    """Runs every mirror that is asked for, and one for each name that matches a pattern, when it appears.

    The memory is divided evenly among them, so that one whose sink does not answer takes nothing from the others.
    """

    def __init__(
        self,
        asked: Mirrors,
        begin: Callable[[Configuration], Life],
        names: Names,
        *,
        clock: Clock,
        backoff: Callable[[], Backoff],
    ) -> None:
        """``begin`` makes one life of a mirror; ``backoff`` makes the delays of one mirror, or of one pattern."""
        self.observed: list[ObservedMirror] = []
        """Those that there are, changed as they come and go."""
        self.failure: Exception | None = None
        """Why all have ended without having been told to, or one did not drain; None where nothing of that happened."""
        self._asked = asked
        self._begin = begin
        self._names = names
        self._clock = clock
        self._backoff = backoff
        self._members: dict[str, Member] = {}
        self._unlisted: dict[str, Exception] = {}
        """The patterns whose names could not be listed when they were last looked for, and why."""
        self._looked_for: set[str] = set()
        self._stopping = asyncio.Event()

    async def run(self, address: str | None) -> None:
        """Return when all have drained after ``stop``, or because none works; ``failure`` says what did not go well.

        ``address`` is where their telemetry is served, if anywhere.
        """
        async with asyncio.TaskGroup() as tasks:
            for each in self._asked.single:
                self._add(tasks, each, address)
            for family in self._asked.families:
                tasks.create_task(self._watch(tasks, family, address), name=f"names like {family.pattern}")
        undrained = (member.undrained for member in self._members.values() if member.undrained is not None)
        self.failure = self.failure or next(undrained, None)

    def stop(self, asked_by: str) -> None:
        """Drain all of them. Safe to call twice."""
        self._stopping.set()
        for member in self._members.values():
            member.stop(asked_by)

    def control_of(self, name: str) -> Control | None:
        """Who carries out orders to the lanes of the mirror called ``name``; None where it is not at work."""
        member = self._members.get(name)
        return None if member is None else member.control

    def _add(self, tasks: asyncio.TaskGroup, asked: Configuration, address: str | None) -> Member:
        member = Member(asked, self._begin, clock=self._clock, backoff=self._backoff())
        self._members[member.name] = member
        self.observed.append(member.observed)
        self._share_memory()
        tasks.create_task(self._keep(member, address), name=f"mirror {member.name}")
        return member

    async def _keep(self, member: Member, address: str | None) -> None:
        await member.keep(address, self._consider)
        if not self._stopping.is_set():
            del self._members[member.name]
            self.observed.remove(member.observed)
            self._share_memory()

    async def _watch(self, tasks: asyncio.TaskGroup, family: Family, address: str | None) -> None:
        """Start a mirror for every name that matches, now and when it appears, until stopped."""
        backoff = self._backoff()
        ours: dict[str, Member] = {}
        while not self._stopping.is_set():
            try:
                found = await asyncio.to_thread(family.matching, await self._names(family))
            except ConnectorError as error:
                log.warning("names cannot be listed", pattern=family.pattern, error=str(error))
                self._unlisted[family.pattern] = error
                delay_s = backoff.next()
            else:
                backoff.reset()
                self._unlisted.pop(family.pattern, None)
                self._follow(tasks, family, found, ours, address)
                delay_s = LOOK_S
            self._looked_for.add(family.pattern)
            self._consider()
            await nap(delay_s, self._stopping)

    def _follow(
        self, tasks: asyncio.TaskGroup, family: Family, found: set[str], ours: dict[str, Member], address: str | None
    ) -> None:
        for name, member in ours.items():
            if member.is_wanted != (name in found):
                member.is_wanted = name in found
                log.info("listed again" if member.is_wanted else "not listed any more", name=name, mirror=member.name)
        for name in sorted(found):
            if name in ours and ours[name] is self._members.get(ours[name].name):
                continue
            try:
                asked = family.of(name)
            except ConfigurationError as error:
                log.error("cannot be mirrored", name=name, pattern=family.pattern, error=str(error))
                continue
            if asked.name in self._members:
                log.error("another mirror has this name", name=name, pattern=family.pattern, mirror=asked.name)
                continue
            log.info("found", name=name, pattern=family.pattern, mirror=asked.name)
            ours[name] = self._add(tasks, asked, address)

    def _consider(self) -> None:
        """Where nothing works any more, end: whoever started the process starts it anew, and hears of it."""
        has_looked = len(self._looked_for) == len(self._asked.families)
        failures = [member.failure for member in self._members.values()]
        if not has_looked or None in failures:
            return
        self.failure = next(iter([*failures, *self._unlisted.values()]), None)
        if self.failure is not None:
            log.error("no mirror works")
            self.stop("failure of all mirrors")

    def _share_memory(self) -> None:
        share = self._asked.process.limits.memory // max(1, len(self._members))
        for member in self._members.values():
            member.confine(share)
