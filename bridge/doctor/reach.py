"""Reaching each end of a mirror by itself: one that cannot be reached keeps nobody from looking at the others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bridge.assembly.reading import SideMaker
from bridge.config import Configuration
from bridge.config.cluster import KafkaCluster
from bridge.doctor.clusters import Entered, entered
from bridge.doctor.kept import kept
from bridge.doctor.live import stream_end, topic_end
from bridge.doctor.report import REACHABILITY
from bridge.doctor.scene import End, Kept, Role, Scene
from bridge.findings import Finding, LookError, Severity
from bridge.groups import together
from bridge.migration.sides import opened
from connectors.base import Clock, Observer, SettingsError, Source
from connectors.kafka.connection import READ, WRITE
from connectors.kafka.source import KafkaSource
from connectors.kinesis.polling import KinesisSource

_BROKER_S = 4.0
"""A broker that does not answer is given up before patience ends, so that what it did instead can be told."""

Reach = Callable[[], Awaitable[Finding | None]]


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
    clusters = await entered(configuration, patience_s)
    asked = clusters.configuration
    make = SideMaker(asked, clock, random, Observer(), reach_s=_BROKER_S)
    async with AsyncExitStack() as stack:
        reaching = _Reaching(clusters, clock, random, stack)
        wanted: dict[Role, Reach] = {
            Role.SOURCE: lambda: reaching.end(Role.SOURCE, make.source, asked.source.kafka),
            Role.SINK: lambda: reaching.end(Role.SINK, make.sink, asked.sink.kafka),
            Role.CHECKPOINTS: reaching.checkpoints,
            Role.DEAD_LETTER: lambda: reaching.dead_letter(make.dead_letter),
        }
        async with together() as tasks:
            running = [
                tasks.create_task(reaching.within(patience_s, role, reach), name=role) for role, reach in wanted.items()
            ]
        findings = tuple(finding for task in running if (finding := task.result()) is not None)
        scene = Scene(asked, clock, reaching.ends, reaching.kept, reaching.absent, lambda: opened(asked, clock))
        yield Arrival(scene, findings)


class _Reaching:
    """Collects what was reached; ``stack`` closes it."""

    def __init__(self, clusters: Entered, clock: Clock, random: Random, stack: AsyncExitStack) -> None:
        self.ends: dict[Role, End] = {}
        self.kept: Kept | None = None
        self.absent: dict[Role, str] = {}
        self._asked = clusters.configuration
        self._clusters = clusters
        self._clock = clock
        self._random = random
        self._stack = stack

    async def within(self, patience_s: float, role: Role, reach: Reach) -> Finding | None:
        """What reaching the end in ``role`` came to, failed or not. Raises ``SettingsError``."""
        try:
            async with asyncio.timeout(patience_s):
                return await reach()
        except SettingsError:
            raise
        except TimeoutError:
            self.absent[role] = "not reached"
            cause, remedy = (
                f"no answer within {patience_s:g} s",
                "check its address, the network and that it runs",
            )
            return Finding(REACHABILITY, Severity.FAILED, f"not reached: the {role}", cause, remedy)
        except LookError as error:
            self.absent[role] = "not reached"
            cause = f"{error.operation}: {error.cause}"
            return Finding(REACHABILITY, Severity.FAILED, f"not reached: the {role}", cause, error.hint)

    async def end(self, role: Role, make: Callable[[], Source], cluster: KafkaCluster | None) -> Finding | None:
        """The end that is read by what ``make`` makes. Raises as ``Connector`` promises."""
        self._clusters.check(cluster)
        match side := make():
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
        asked = self._asked
        self._clusters.check(asked.source.kafka if asked.checkpoints_in_source_group else asked.checkpoint_cluster)
        self.kept = await kept(asked, self._clock)
        return Finding(REACHABILITY, Severity.OK, f"the checkpoints are in {self.kept.place}")

    async def dead_letter(self, make: Callable[[], Source | Path | None]) -> Finding | None:
        """Of none there is nothing to find."""
        section = self._asked.dead_letter
        if section is not None and section.kafka is not None:
            self._clusters.check(self._asked.kafka_end)
        match side := make():
            case None:
                return None
            case Path():
                return Finding(REACHABILITY, Severity.OK, f"the dead letter is the file {side}")
            case _:
                return await self.end(Role.DEAD_LETTER, lambda: side, None)

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
