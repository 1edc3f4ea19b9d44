"""Two systems, two mirrors, producers and consumers, as far as a migration concerns them; and people who obey."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge.findings import Finding, Severity
from bridge.jobs.backfill_report import BackfillReport, Verdict
from bridge.migration.gates.scene import Names, Pair, Scene, Side, Way
from bridge.migration.measures.arrivals import Arrival, Arrivals
from bridge.migration.measures.consumers import ConsumerStanding, ConsumerState
from bridge.migration.measures.ends import Ends
from bridge.migration.measures.hidden import Hidden
from bridge.migration.measures.standing import Behind, LaneStanding, Standing
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.request import Direction
from bridge.parity.report import Difference, Kind, ParityReport
from connectors.base import End

PAIR = Pair("app", "group")
_LOOK = 4
"""Records that one look takes in."""


class KilledError(Exception):
    """The command was killed."""


@dataclass(slots=True)
class World:
    """What there is. Every look at it is a moment in which producers write and mirrors copy, if they are at work."""

    direction: Direction = Direction.TO_GROUP
    producers: set[Side] = field(default_factory=lambda: {Side.OLD})
    readers: set[str] = field(default_factory=set)
    """Groups and tables that consumers work with."""
    mirrors: set[Way] = field(default_factory=set)
    native: dict[Side, int] = field(default_factory=lambda: {Side.OLD: 10, Side.NEW: 0})
    """Records that producers wrote to each side."""
    copied: dict[Way, int] = field(default_factory=lambda: {Way.FORWARD: 0, Way.REVERSE: 0})
    speed: int = 2
    """Records that a mirror copies in a moment; a producer writes one."""
    tables: set[str] = field(default_factory=lambda: {"app"})
    places: dict[str, int] = field(default_factory=dict)
    """What was set by translations: how many records of the other side were processed."""
    translations: list[tuple[str, str]] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    different: bool = False
    has_mixed: bool = False
    """Whether producers wrote to a side while the other one's records were still on their way there."""

    def tick(self) -> None:
        for side in self.producers:
            other = Way.REVERSE if side is Side.OLD else Way.FORWARD
            waiting = self.native[other.source] - self.copied[other]
            self.has_mixed |= len(self.producers) > 1 or waiting > 0
            self.native[side] += 1
        for way in self.mirrors:
            self.copied[way] = min(self.native[way.source], self.copied[way] + self.speed)


class FakeScene(Scene):
    """The world, as a command sees it."""

    names = Names("old", "new", "run forward", "run back")
    pairs: Sequence[Pair] = (PAIR,)
    quiet_s = 60.0

    def __init__(self, world: World) -> None:
        self.world = world
        self.direction = world.direction
        self.reverse: Ends | None = None

    async def wait(self, seconds: float) -> None:
        self.world.tick()

    async def checks(self) -> Sequence[Finding]:
        obstacles = self.world.obstacles
        return [Finding("all", Severity.FAILED if obstacles else Severity.OK, ", ".join(obstacles), remedy="mend it")]

    async def ends(self, side: Side) -> Ends:
        self.world.tick()
        return {"0": End(str(self.world.native[side]))}

    async def arrivals(self, side: Side, ends: Ends) -> Arrivals:
        self.world.tick()
        begin, end = int(ends["0"].position or 0), self.world.native[side]
        until = min(end, begin + _LOOK)
        last = Arrival("0", str(until), 0) if until > begin else None
        return Arrivals(until - begin, last, last, until - begin, {"0": End(str(until))}, is_whole=until == end)

    async def hidden(self, side: Side) -> Sequence[Hidden]:
        return ()

    async def standing(self, way: Way) -> Standing:
        worker = "worker" if way in self.world.mirrors else None
        return Standing((LaneStanding("0", None, None, is_finished=False, lag_ms=0, lag_records=None, worker=worker),))

    async def undrained(self, way: Way, ends: Ends) -> Sequence[Behind]:
        self.world.tick()
        copied = self.world.copied[way]
        return () if copied >= int(ends["0"].position or 0) else (Behind("0", str(copied), ends["0"], None),)

    async def consumers(self, pair: Pair, direction: Direction, table: str) -> ConsumerStanding:
        name = pair.group if direction is Direction.TO_GROUP else table
        at_work = (f"{name}-1",) if name in self.world.readers else ()
        return ConsumerStanding(name, ConsumerState.MOVING if at_work else ConsumerState.AT_REST, at_work)

    async def has_table(self, table: str) -> bool:
        return table in self.world.tables

    async def translate(self, pair: Pair, direction: Direction, table: str) -> TranslateReport:
        world = self.world
        assert not world.readers & {pair.group, table}, "consumers are at work"
        old, new = (table, pair.group) if direction is Direction.TO_GROUP else (pair.group, table)
        if direction is Direction.TO_APPLICATION:
            assert table not in world.tables, "a table is only made new"
            world.tables.add(table)
        world.translations.append((old, new))
        world.places[new] = world.places.get(old, 0)
        return TranslateReport(
            direction, table, pair.group, "old", "new", (), (), (), is_applied=True, stream_records=0, topic_records=0
        )

    async def would_translate(self, pair: Pair, direction: Direction, table: str) -> TranslateReport:
        return TranslateReport(
            direction, table, pair.group, "old", "new", (), (), (), is_applied=False, stream_records=0, topic_records=0
        )

    async def backfill(self) -> BackfillReport:
        self.world.copied[Way.FORWARD] = self.world.native[Side.OLD]
        return BackfillReport("m", "start", "now", Verdict.COMPLETE, (), was_done=False, seconds=0.0)

    async def verify(self, way: Way, ends: Ends, since: Ends | None = None) -> ParityReport:
        missing = Difference(3 if self.world.different else 0)
        kinds = {kind: missing if kind is Kind.MISSING else Difference() for kind in Kind}
        return ParityReport(self.world.copied[way], self.world.copied[way], kinds)

    async def write_reverse(self, ends: Ends) -> str:
        self.reverse = ends
        return "reverse.yaml"


class People:
    """They do what a command asks of them, and nothing else."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._words: dict[str, Callable[[], None]] = {
            "run forward": lambda: world.mirrors.add(Way.FORWARD),
            "run back": lambda: world.mirrors.add(Way.REVERSE),
            "stop the producers of old": lambda: world.producers.discard(Side.OLD),
            "stop the producers of new": lambda: world.producers.discard(Side.NEW),
            "start the producers of old": lambda: world.producers.add(Side.OLD),
            "start the producers of new": lambda: world.producers.add(Side.NEW),
            "producers may write to old again": lambda: world.producers.add(Side.OLD),
        }

    def obey(self, task: str) -> None:
        for words, act in self._words.items():
            if words in task:
                act()
        for verb, act_on in (("start ", self._world.readers.add), ("stop ", self._world.readers.discard)):
            for kind in ("the consumers of group ", "the KCL application "):
                for part in task.split("; "):
                    if part.startswith(verb + kind):
                        act_on(part.removeprefix(verb + kind))
