"""What records are read from."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence

from connectors.base.batch import Batch
from connectors.base.budget import Budget
from connectors.base.connector import Connector
from connectors.base.place import End, Partition, Place, Position


class Source(Connector):
    """Partitions that can be read in order, from any position, any number of times."""

    @property
    def largest_record(self) -> int | None:
        """No record has more bytes of key and value, as long as nobody raises the system's limit; None: not known.

        Valid once entered.
        """
        return None

    @property
    def retention_ms(self) -> int | None:
        """How long records are kept; None without a limit, or where none is told. Valid once entered."""
        return None

    @property
    def repeats(self) -> bool:
        """Whether one record may stand there twice, because a writer did not hear that it had been written."""
        return False

    def stored(self, places: Mapping[str, Place]) -> None:
        """Checkpoints at ``places`` are stored, by partition. For those who show them elsewhere; must not block."""

    def resumed(self, identity: str, place: Place) -> Place:
        """Where to go on if the loss is accepted that a checkpoint names: at ``place``, made with another identity."""
        return Place()

    @abstractmethod
    def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        """The partitions that exist: all of them at once, and all of them again whenever that changes.

        Runs until cancelled. A new partition is reported within 10 seconds. Retries by itself what can be retried;
        an exception ends the mirror.
        """

    @abstractmethod
    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        """Where each of ``partitions`` is to be read from in a mirror that has no checkpoint at all.

        Called once in a mirror's life, before anything is read; the engine saves the answer before it reads, so that
        a start "from now on" stays the same now after a restart. Partitions that appear later are read from their
        beginning, ``Place()``.
        """

    @abstractmethod
    def rank(self, position: Position | None) -> tuple[int, ...]:
        """Sorts the positions of one partition, None before all. Raises ``RefusedError`` for text that is none."""

    @abstractmethod
    def just_before(self, position: Position) -> Place:
        """Where reading begins with the record at ``position``. Raises ``RefusedError`` for text that is none."""

    @abstractmethod
    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        """Where what arrived up to ``until_ms`` ends in each of ``partitions``; None: what has arrived by now.

        Of a system that keeps no arrival the records' own times count, and the first one later ends the range. Raises
        ``SettingsError`` for a time that is still to come, and what opening raises.
        """

    @abstractmethod
    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        """The records strictly after ``after``, in order, without end while the partition is open.

        The iterator ends only when the partition is finished for good and every record of it has been handed out.
        It reserves from ``budget`` before it fetches and hands the reservation on with the batch. It may be cancelled
        at any await, and read again from any place it handed out.

        Throttling, lost connections and expired cursors are handled inside, after the last record handed out.
        Raises ``GapError`` where records between ``after`` and the first one that can still be read are lost,
        ``RefusedError`` where a person must act, ``TransientError`` where reading again later may help.
        """
