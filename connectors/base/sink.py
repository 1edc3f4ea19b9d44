"""What records are written to."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connectors.base.batch import Batch
from connectors.base.connector import Connector
from connectors.base.errors import ConnectorError
from connectors.base.outcome import Rejected
from connectors.base.scope import Scope


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that someone has set where records are kept, for a person to find and to change."""

    place: str
    """``topic orders``"""
    name: str
    value: int

    def __str__(self) -> str:
        return f"{self.place} has {self.name}={self.value}"


class Sink(Connector):
    """Takes batches. Owns its retries: a submission is answered, or the scope breaks."""

    @abstractmethod
    async def begin(self) -> Scope:
        """The next scope. Waits, without a limit, until the sink can take submissions again after a break.

        Returns only after every submission that the break concerns has raised. Raises ``RefusedError`` where a person
        must act first.
        """

    def too_small_for(self, largest_record: int) -> str:
        """Which setting must have which value before the sink takes ``largest_record`` bytes of key and value.

        For a person; empty where it takes them, or tells no limit. Valid once entered.
        """
        return ""

    def age_limits(self) -> tuple[Setting, ...]:
        """The settings by which records are refused or deleted that are older, in ms, by their own time.

        Empty where all are kept, where only the time since they were written counts, and where nothing is told. Valid
        once entered.
        """
        return ()

    def volume_limits(self) -> tuple[Setting, ...]:
        """The settings by which the oldest records are deleted of what has more bytes. Valid once entered."""
        return ()

    @property
    def carries_origins(self) -> bool:
        """Whether a record's origin can travel with it."""
        return True

    @property
    def trouble(self) -> ConnectorError | None:
        """Why nothing is answered at the moment, as far as the sink knows; it goes on trying."""
        return None

    def now_ms(self) -> int | None:
        """The time by the sink's clock, rather too early than too late; None where ``landed`` tells nothing.

        Valid once entered.
        """
        return None

    async def landed(self, source: str, since_ms: Mapping[str, int]) -> Mapping[str, Collection[str]]:
        """What of ``source``, an address, has been written here: identities by partition, for those in ``since_ms``.

        All of a partition that was written at or after its time there are among them, earlier ones may be; replayed
        records never are. May take as long as reading all that was written since. Raises ``RefusedError`` without
        the permission to read.
        """
        return {}

    async def knows(self, source: str) -> bool:
        """Whether a sample of what is here shows records of ``source``, an address. Raises as ``landed``."""
        return False

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        """The records of ``batch`` that the sink knows it can never take, rising by index; cheap, no I/O.

        The engine asks before it submits, so that policy decides before anything behind such a record is delivered.
        """
        return ()
