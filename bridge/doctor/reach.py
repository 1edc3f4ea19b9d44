"""Reaching each end of a mirror by itself: one that cannot be reached keeps nobody from looking at the others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bridge.assembly.reading import SideMaker
from bridge.config import Configuration
from bridge.doctor.kept import kept
from bridge.doctor.live import stream_end, topic_end
from bridge.doctor.report import REACHABILITY
from bridge.doctor.scene import End, Kept, Role, Scene
from bridge.findings import Finding, LookError, Severity
from bridge.groups import first
from bridge.migration.sides import opened
from connectors.base import Clock, Observer, SettingsError, Source
from connectors.kafka.connection import READ, WRITE
from connectors.kafka.source import KafkaSource
from connectors.kinesis.polling import KinesisSource

_BROKER_S = 4.0
"""A broker that does not answer is given up before patience ends, so that what it did instead can be told."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was reached, and what was found on the way."""

    scene: Scene
    findings: tuple[Finding, ...]


@asynccontextmanager
async def reached(
    configuration: Configuration, clock: Clock, random: Random, patience_s: float
) -> AsyncIterator[Arrival]:
    """All ends side by side, each within ``patience_s``, while the context lasts. Raises ``SettingsError``."""
    make = SideMaker(configuration, clock, random, Observer(), reach_s=_BROKER_S)
    async with AsyncExitStack() as stack:
        reaching = _Reaching(configuration, clock, random, stack, patience_s)
        source, sink, dead_letter = make.source(), make.sink(), make.dead_letter()
        wanted: dict[Role, Callable[[], Awaitable[Finding | None]]] = {
            Role.SOURCE: lambda: reaching.end(Role.SOURCE, source),
            Role.SINK: lambda: reaching.end(Role.SINK, sink),
            Role.CHECKPOINTS: reaching.checkpoints,
            Role.DEAD_LETTER: lambda: reaching.dead_letter(dead_letter),
        }
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(reaching.within(role, reach), name=role) for role, reach in wanted.items()]
        except ExceptionGroup as errors:
            raise first(errors) from None
        findings = tuple(finding for task in running if (finding := task.result()) is not None)
        scene = Scene(
            configuration,
            clock,
            reaching.ends,
            reaching.kept,
            reaching.absent,
            lambda: opened(configuration, clock),
        )
        yield Arrival(scene, findings)


class _Reaching:
    """Collects what was reached; ``stack`` closes it."""

    def __init__(
        self, configuration: Configuration, clock: Clock, random: Random, stack: AsyncExitStack, patience_s: float
    ) -> None:
        self.ends: dict[Role, End] = {}
        self.kept: Kept | None = None
        self.absent: dict[Role, str] = {}
        self._asked = configuration
        self._clock = clock
        self._random = random
        self._stack = stack
        self._patience_s = patience_s

    async def within(self, role: Role, reach: Callable[[], Awaitable[Finding | None]]) -> Finding | None:
        """What reaching the end in ``role`` came to, failed or not. Raises ``SettingsError``."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await reach()
        except SettingsError:
            raise
        except TimeoutError:
            self.absent[role] = "not reached"
            cause, remedy = (
                f"no answer within {self._patience_s:g} s",
                "check its address, the network and that it runs",
            )
            return Finding(REACHABILITY, Severity.FAILED, f"not reached: the {role}", cause, remedy)
        except LookError as error:
            self.absent[role] = "not reached"
            cause = f"{error.operation}: {error.cause}"
            return Finding(REACHABILITY, Severity.FAILED, f"not reached: the {role}", cause, error.hint)

    async def end(self, role: Role, side: Source) -> Finding | None:
        """The end that is read by ``side``. Raises as ``Connector`` promises."""
        match side:
            case KinesisSource():
                await self._stack.enter_async_context(side)
                end: End = await self._stack.enter_async_context(stream_end(side, self._clock, self._random))
            case KafkaSource():
                topic = await side.described()
                if topic is None:
                    return self._missing(role)
                end = await self._stack.enter_async_context(topic_end(side, topic, self._clock, self._random))
            case _:
                raise TypeError(f"an end is a stream or a topic, not {type(side).__name__}")
        self.ends[role] = end
        return Finding(REACHABILITY, Severity.OK, f"the {role} is {end.address}")

    async def checkpoints(self) -> Finding:
        self.kept = await kept(self._asked, self._clock)
        return Finding(REACHABILITY, Severity.OK, f"the checkpoints are in {self.kept.place}")

    async def dead_letter(self, side: Source | Path | None) -> Finding | None:
        if isinstance(side, Path):
            return Finding(REACHABILITY, Severity.OK, f"the dead letter is the file {side}")
        return None if side is None else await self.end(Role.DEAD_LETTER, side)

    def _missing(self, role: Role) -> Finding:
        sink = self._asked.sink.kafka
        if role is Role.SINK and sink is not None and sink.create_topic is not None:
            self.absent[role] = "the topic is made when the mirror starts"
            found = f"the sink's cluster is reached; topic {sink.topic} is not there yet"
            return Finding(REACHABILITY, Severity.OK, found, "create_topic says how the mirror makes it")
        self.absent[role] = "there is no such topic"
        remedies = {Role.SOURCE: READ.missing, Role.SINK: WRITE.missing}
        remedy = remedies.get(role, "create it, or name another")
        return Finding(REACHABILITY, Severity.FAILED, f"not there: the {role}", "there is no such topic", remedy)
