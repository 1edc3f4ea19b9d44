"""The scene of a migration as it is: two systems, their consumers, the mirror and the mirror back."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.config import Configuration
from bridge.config.cutover import Consumers, Cutover
from bridge.errors import BridgeError, UsageError
from bridge.findings import Finding
from bridge.jobs.backfill import backfill
from bridge.jobs.backfill_report import BackfillReport
from bridge.jobs.backfill_request import BackfillRequest
from bridge.migration.cutover.record import Between
from bridge.migration.cutover.stretch import range_of
from bridge.migration.gates.scene import Names, Pair, Scene, Side, Way
from bridge.migration.leases.table import is_there
from bridge.migration.measures import arrivals, consumers, standing
from bridge.migration.measures.arrivals import Arrivals
from bridge.migration.measures.consumers import ConsumerStanding
from bridge.migration.measures.ends import Ends, ends_of
from bridge.migration.measures.hidden import Hidden, hidden
from bridge.migration.measures.preflight import Consumers as LeavingConsumers
from bridge.migration.measures.preflight import preflight
from bridge.migration.measures.reversed import reversed_configuration, reversed_mirror
from bridge.migration.measures.standing import Behind, Standing
from bridge.migration.sides import Sides, opened
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.request import Direction, TranslateRequest
from bridge.migration.translation.translating import translate
from bridge.parity.report import Difference, Kind, ParityReport
from bridge.parity.verification import verify
from connectors.base import Clock, GapError

_ANY_START = {"kafka": "earliest", "kinesis": "trim_horizon"}


@asynccontextmanager
async def live_scene(
    configuration: Configuration, command: Sequence[str], reverse_path: Path, clock: Clock
) -> AsyncIterator["LiveScene"]:
    """Both sides, entered while the context lasts.

    ``command`` runs the mirror; the configuration of the mirror back is written to ``reverse_path``. Raises
    ``UsageError`` where there is nothing to migrate, and what reaching the sides raises.
    """
    asked = configuration.cutover
    if asked is None:
        raise UsageError("cutover", "the configuration has no section cutover", "cutover: {} is the least there is")
    if (configuration.source.kafka is None) == (configuration.sink.kafka is None):
        raise UsageError("cutover", "a migration leads from Kinesis to Kafka, or back", "name one of each")
    async with opened(configuration, clock) as sides:
        yield LiveScene(sides, asked, command, reverse_path)


class LiveScene(Scene):
    def __init__(self, sides: Sides, asked: Cutover, command: Sequence[str], reverse_path: Path) -> None:
        self._sides = sides
        self._asked = asked
        self._reverse_path = reverse_path
        configuration = sides.configuration
        start = _ANY_START["kafka" if configuration.sink.kafka is not None else "kinesis"]
        self._reverse = reversed_configuration(configuration, start, asked.reverse.codec).configuration
        self._mirrors = {
            Way.FORWARD: sides,
            Way.REVERSE: Sides(self._reverse, sides.clock, source=sides.sink, sink=sides.source),
        }
        self._logs = {Side.OLD: sides.source, Side.NEW: sides.sink}
        self._consumers = {Pair(each.application, each.group): each for each in asked.consumers}
        self.pairs = tuple(self._consumers)
        self.quiet_s = asked.quiet
        is_to_kafka = configuration.sink.kafka is not None
        self.direction = Direction.TO_GROUP if is_to_kafka else Direction.TO_APPLICATION
        back = shlex.join(["kmbridge", "run", str(reverse_path)])
        self.names = Names(configuration.source.end.title, configuration.sink.end.title, shlex.join(command), back)

    @property
    def between(self) -> Between:
        """The sides, as the migration's record names them."""
        return Between(self._sides.source.address, self._sides.sink.address)

    async def wait(self, seconds: float) -> None:
        await self._sides.clock.sleep(seconds)

    async def checks(self) -> Sequence[Finding]:
        is_to_group = self.direction is Direction.TO_GROUP
        leaving = LeavingConsumers(
            applications=[pair.application for pair in self.pairs] if is_to_group else (),
            groups=() if is_to_group else [pair.group for pair in self.pairs],
            begun=[each.application for each in self._asked.consumers if each.start is not None],
            lease_region=self._asked.lease_region,
            lease_endpoint_url=self._asked.lease_endpoint_url,
        )
        sides = self._sides
        return await preflight(sides.configuration, leaving, sides.clock, codec=self._asked.reverse.codec)

    async def ends(self, side: Side) -> Ends:
        return await ends_of(self._logs[side])

    async def arrivals(self, side: Side, ends: Ends) -> Arrivals:
        log = self._logs[side]
        try:
            return await arrivals.arrivals(log, ends)
        except GapError as gap:
            if self._sides.configuration.on_gap == "stop":
                hint = "call cutover more often than records expire; on_gap: continue accepts that nobody can tell"
                raise BridgeError(f"listen to the producers of {log.address}", str(gap), hint) from gap
            # Nobody can tell. On the new side it counts as something, which then has to come back.
            return Arrivals(int(side is Side.NEW), None, None, 0, await ends_of(log), is_whole=True)

    async def hidden(self, side: Side) -> Sequence[Hidden]:
        return await hidden(self._logs[side])

    async def standing(self, way: Way) -> Standing:
        return await standing.standing(self._mirrors[way])

    async def undrained(self, way: Way, ends: Ends) -> Sequence[Behind]:
        return await standing.undrained(self._mirrors[way], ends)

    async def consumers(self, pair: Pair, direction: Direction, table: str) -> ConsumerStanding:
        if direction is Direction.TO_GROUP:
            return await consumers.group(self._sides, pair.group)
        return await consumers.application(
            self._sides,
            table,
            failover_s=self._consumers[pair].failover_time,
            region=self._asked.lease_region,
            endpoint_url=self._asked.lease_endpoint_url,
        )

    async def has_table(self, table: str) -> bool:
        asked = self._asked
        return await is_there(self._sides.stream.lease_table(table, asked.lease_region, asked.lease_endpoint_url))

    async def translate(self, pair: Pair, direction: Direction, table: str) -> TranslateReport:
        return await self._translated(pair, direction, table, apply=True)

    async def would_translate(self, pair: Pair, direction: Direction, table: str) -> TranslateReport:
        return await self._translated(pair, direction, table, apply=False)

    async def _translated(self, pair: Pair, direction: Direction, table: str, *, apply: bool) -> TranslateReport:
        asked: Consumers = self._consumers[pair]
        request = TranslateRequest(
            direction,
            table,
            pair.group,
            apply=apply,
            initial_position=asked.start,
            failover_s=asked.failover_time,
            lease_region=self._asked.lease_region,
            lease_endpoint_url=self._asked.lease_endpoint_url,
            mirror_back=self._reverse if (await self.standing(Way.REVERSE)).has_begun else None,
        )
        return await translate(self._sides.configuration, request, clock=self._sides.clock)

    async def backfill(self) -> BackfillReport:
        return await backfill(self._sides.configuration, BackfillRequest())

    async def verify(self, way: Way, ends: Ends, since: Ends | None = None) -> ParityReport:
        configuration = self._mirrors[way].configuration
        compared = range_of(ends, since)
        if compared is None:
            return ParityReport(0, 0, {kind: Difference() for kind in Kind})
        # Producers of the other side write there too, once they have moved.
        return await verify(configuration, compared, is_shared=True, clock=self._sides.clock)

    async def write_reverse(self, ends: Ends) -> str:
        found = await reversed_mirror(self._sides, ends, self._asked.reverse.codec)
        try:
            await asyncio.to_thread(_replace, self._reverse_path, found.text)
        except OSError as error:
            raise BridgeError(
                "write the configuration of the mirror back",
                f"{self._reverse_path}: {error.strerror}",
                "let the command write beside the configuration",
            ) from error
        return str(self._reverse_path)


def _replace(path: Path, text: str) -> None:
    """Whole, or not at all."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)
