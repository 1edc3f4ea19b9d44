"""What the steps of a migration see, and what they can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.findings import Finding
from bridge.jobs.backfill_report import BackfillReport
from bridge.migration.measures.arrivals import Arrivals
from bridge.migration.measures.consumers import ConsumerStanding
from bridge.migration.measures.ends import Ends
from bridge.migration.measures.hidden import Hidden
from bridge.migration.measures.standing import Behind, Standing
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.request import Direction
from bridge.parity.report import ParityReport


class Side(StrEnum):
    OLD = "old"
    """From which the migration moves away."""
    NEW = "new"


class Way(StrEnum):
    """Of one of the two mirrors."""

    FORWARD = "forward"
    """From the old side to the new one."""
    REVERSE = "reverse"

    @property
    def source(self) -> Side:
        """The side that this mirror reads."""
        return Side.OLD if self is Way.FORWARD else Side.NEW


@dataclass(frozen=True, slots=True)
class Pair:
    """Consumers that move, by both their names."""

    application: str
    group: str


@dataclass(frozen=True, slots=True)
class Names:
    """How things are called, for people."""

    old: str
    new: str
    forward: str
    """The command that runs the mirror to the new side; ``reverse`` that of the mirror back."""
    reverse: str


class Scene(ABC):
    """Both systems, looked at without a trace, and what the command does to them by itself.

    Every method raises what its measure or its job does: ``ConnectorError``, ``CheckpointError``, ``BridgeError``.
    """

    names: Names
    pairs: Sequence[Pair]
    direction: Direction
    """Of the consumers, on the way forward."""
    quiet_s: float

    @abstractmethod
    async def wait(self, seconds: float) -> None: ...

    @abstractmethod
    async def checks(self) -> Sequence[Finding]:
        """What a migration needs before it begins."""

    @abstractmethod
    async def ends(self, side: Side) -> Ends:
        """Behind all that is there now."""

    @abstractmethod
    async def arrivals(self, side: Side, ends: Ends) -> Arrivals:
        """What was produced to a side behind ``ends``, mirrored records left out."""

    @abstractmethod
    async def hidden(self, side: Side) -> Sequence[Hidden]:
        """What was written to a side and is not to be seen, since a transaction is open."""

    @abstractmethod
    async def standing(self, way: Way) -> Standing: ...

    @abstractmethod
    async def undrained(self, way: Way, ends: Ends) -> Sequence[Behind]:
        """Where a mirror has not come to ``ends`` of its source."""

    @abstractmethod
    async def consumers(self, pair: Pair, direction: Direction, table: str) -> ConsumerStanding:
        """Those that a translation in ``direction`` moves to: a group, or an application by its ``table``."""

    @abstractmethod
    async def has_table(self, table: str) -> bool: ...

    @abstractmethod
    async def translate(self, pair: Pair, direction: Direction, table: str) -> TranslateReport:
        """Set the place of a group by a table, or make a table by a group."""

    @abstractmethod
    async def would_translate(self, pair: Pair, direction: Direction, table: str) -> TranslateReport:
        """What ``translate`` would do; raises what it would raise, as far as that can be told."""

    @abstractmethod
    async def backfill(self) -> BackfillReport: ...

    @abstractmethod
    async def verify(self, way: Way, ends: Ends, since: Ends | None = None) -> ParityReport:
        """Compare what stands before ``ends`` of a mirror's source, and behind ``since`` where that is given, with what
        the mirror has made of it.
        """

    @abstractmethod
    async def write_reverse(self, ends: Ends) -> str:
        """Write the configuration of the mirror back, which begins behind ``ends`` of the new side; the file's path."""
