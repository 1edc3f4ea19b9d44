"""The contracts between the engine and the systems it reads and writes.

A *source* is a set of partitions (Kinesis shards, Kafka partitions), each an ordered sequence of records.
A *sink* takes batches and says when they are durable. Neither knows the other, and the engine knows no brand.

Terms used throughout:

position
    A source's own text for a place in one partition, opaque to everyone else. Reading resumes *strictly after* it.
    Positions of one partition are totally ordered by the source, never by comparing the texts.
watermark
    Milliseconds since the epoch, by the source's clock: every record that arrived in the partition before this time
    stands at or before the position it comes with. It moves on an idle partition too, and so tells an old position
    where nothing was missed from one behind which records have expired.
lane
    The path of one source partition through the engine; its name is the partition's id.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import ClassVar, Protocol, Self

Position = str
Header = tuple[str, bytes | None]

ORIGIN_HEADER = "kmbridge-origin"
"""Names where a record comes from, one header a hop, oldest first (docs: provenance)."""

REPLAY_HEADER = "kmbridge-replay"
"""Marks a record that was sent again on purpose."""

DUAL_WRITE_HEADER = "kmbridge-dual-write"
"""Names a record that an application writes to two places, in both of them (docs: dual writes)."""

OWN_PREFIX = "kmbridge-"
"""Headers so named say how a record travelled, and are no part of what it holds."""

RECORD_OVERHEAD = 300
"""Bytes of memory that a record takes beside key, value and headers: objects, its position, its timestamp."""
HEADER_OVERHEAD = 150
"""Bytes of memory that a header takes beside its value: two objects and its place."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One ordered part of a source. ``parents`` are the partitions whose records precede all of this one's."""

    id: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lane stands. ``position`` None is before the partition's first record."""

    position: Position | None = None
    watermark_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record, made from a batch for those who need one: dead letters, checks, tests."""

    partition: str
    position: Position
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """Where a bounded read of one partition ends: behind ``position``, or before what arrived after ``time_ms``.

    Of two the first that is met. It does not move once it is known.
    """

    position: Position | None = None
    time_ms: int | None = None
    """Milliseconds since the epoch, by the source's clock."""


class Reservation(Protocol):
    """A share of the byte budget. Whoever holds the batch it came with ends it."""

    def resize(self, size: int) -> None:
        """Correct the share to ``size`` bytes, once the true size is known. Never blocks, may overdraw."""

    def grow(self, by: int) -> None:
        """Take ``by`` bytes more, for what was made of the batch. Never blocks, may overdraw."""

    def release(self) -> None:
        """Give the share back. A second call does nothing."""


class Budget(Protocol):
    """The bytes that all lanes of the process may hold between reading and durability."""

    async def reserve(self, size: int) -> Reservation:
        """Wait until ``size`` bytes are free, first come first served, and take them.

        A size above the whole budget is cut to it, so that one oversized answer passes alone instead of never.
        """


def size_of(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> int:
    """Bytes of ``keys`` and ``values``."""
    return sum(len(text) for text in (*keys, *values) if text is not None)


@dataclass(frozen=True, slots=True)
class Batch:
    """A stretch of one partition's records in source order, as columns of equal length.

    It is empty when the source only learned that it has caught up: ``place`` then carries a later watermark.
    Columns are never changed after the batch is made; who needs others makes another batch.
    """

    partition: str
    place: Place
    """Where the lane stands once every record of this batch is durable."""
    positions: Sequence[Position] = ()
    keys: Sequence[bytes | None] = ()
    values: Sequence[bytes | None] = ()
    timestamps_ms: Sequence[int] = ()
    """The records' own times, milliseconds since the epoch; of a system that keeps none, when they arrived there."""
    headers: Sequence[tuple[Header, ...]] | None = None
    """None when no record of the batch has any."""
    origins: Sequence[bytes] | None = None
    """This hop's ``ORIGIN>DESTINATION`` of each record, to be sent as the last ``ORIGIN_HEADER``; None: not sent."""
    parts: Sequence[int] | None = None
    """Which of those records that were made of one source record each is, from 0; they have one position and stand
    together. None: each is the only one.
    """
    size: int = 0
    """Bytes of keys and values."""
    arrivals_ms: Sequence[int] | None = None
    """When each arrived at the source, where that is not its own time."""
    lag_ms: int = 0
    """How far the end of this batch is behind the partition's tip, as the source tells it.

    0 only where nothing lay behind it at a moment after reading began.
    """
    lag_records: int | None = None
    """How many records of the partition lie behind the end of this batch; None where the source cannot count them."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Records of the stretch that are left out on purpose, counted by reason."""
    is_last: bool = False
    """Whether a bounded read ends with it: nothing behind it is asked for."""
    reservation: Reservation | None = None
    """The batch's share of the budget, released by the engine when every record is durable."""

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def identities(self) -> Sequence[str]:
        """What tells each record from all others of its partition: its position; of a later part ``POSITION~n``."""
        if self.parts is None:
            return self.positions
        both = zip(self.positions, self.parts, strict=True)
        return [f"{position}~{part}" if part else position for position, part in both]

    @property
    def arrived_ms(self) -> Sequence[int]:
        """When each arrived at the source."""
        return self.timestamps_ms if self.arrivals_ms is None else self.arrivals_ms

    def record(self, index: int) -> Record:
        """The record at ``index``, its origin of this hop among the headers."""
        headers = self.headers[index] if self.headers is not None else ()
        if self.origins is not None:
            headers = (*headers, (ORIGIN_HEADER, self.origins[index]))
        return Record(
            self.partition,
            self.positions[index],
            self.keys[index],
            self.values[index],
            self.timestamps_ms[index],
            headers,
        )

    def records(self) -> Iterator[Record]:
        return (self.record(index) for index in range(len(self)))

    def pick(self, chosen: Sequence[int]) -> "Batch":
        """The records at the indexes ``chosen`` alone; place and reservation stay."""
        keys = [self.keys[index] for index in chosen]
        values = [self.values[index] for index in chosen]
        return replace(
            self,
            positions=[self.positions[index] for index in chosen],
            keys=keys,
            values=values,
            timestamps_ms=[self.timestamps_ms[index] for index in chosen],
            arrivals_ms=None if self.arrivals_ms is None else [self.arrivals_ms[index] for index in chosen],
            headers=None if self.headers is None else [self.headers[index] for index in chosen],
            origins=None if self.origins is None else [self.origins[index] for index in chosen],
            parts=None if self.parts is None else [self.parts[index] for index in chosen],
            size=size_of(keys, values),
        )

    def others(self, rejected: Iterable["Rejected"]) -> list[int]:
        """The indexes of the records that are not ``rejected``."""
        left_out = {each.index for each in rejected}
        return [index for index in range(len(self)) if index not in left_out]

    def without(self, rejected: Collection["Rejected"]) -> "Batch":
        """The batch less its ``rejected`` records; itself where there are none."""
        return self.pick(self.others(rejected)) if rejected else self

    def release(self) -> None:
        """Give the batch's share of the budget back. A second call does nothing."""
        if self.reservation is not None:
            self.reservation.release()


class Connector(ABC):
    """What sources and sinks share: an async context that owns all it opens.

    Entering connects and checks what can be checked before the first record, within 25 seconds, and raises
    ``UnreachableError`` or ``RefusedError`` with the address and the cause. Leaving closes everything, whatever state
    it is in, and never raises for a broken connection.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """This very stream or topic: another one made later under the same name has another identity.

        So has one that was changed in a way after which positions or the order of keys mean something else.

        Valid once entered. Empty where the system tells nothing that distinguishes the two.
        """

    def is_regrown(self, identity: str) -> bool:
        """Whether what had ``identity`` was this very topic, with another number of partitions."""
        return False

    @property
    @abstractmethod
    def address(self) -> str:
        """The place as provenance writes it, without a position. Valid once entered.

        ``kinesis:REGION:ACCOUNT:STREAM`` or ``kafka:CLUSTER_ID:TOPIC``.
        """


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


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record that the sink cannot take, now or later, however often it is tried."""

    index: int
    """Its place in the submitted batch."""
    reason: str
    """A short word for metrics: ``too_large``, ``invalid_timestamp``."""
    detail: str
    """For a person: what was found, what is allowed, which setting decides."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one submitted batch: every record is durable but those rejected (rising by index)."""

    rejected: tuple[Rejected, ...] = ()
    places: Sequence[str] | None = None
    """``PARTITION/POSITION`` of each record in the sink, empty where that is not known; None of a sink that does not
    tell places.
    """


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that someone has set where records are kept, for a person to find and to change."""

    place: str
    """``topic orders``"""
    name: str
    value: int

    def __str__(self) -> str:
        return f"{self.place} has {self.name}={self.value}"


Save = Callable[[Mapping[str, Place]], Awaitable[None]]
"""Writes checkpoints: of the lanes it is given at the places it is given, of all others where they stand."""


class Scope(ABC):
    """A unit of durability: a transaction, or just the stretch between two checkpoints.

    A scope *breaks* when the sink can no longer say what became of a submission. Then every submission of it that is
    not yet answered raises, and so does every later one, and every one of any scope begun before the break was raised:
    nothing is delivered behind a hole. The engine then begins another scope and submits again from the last
    place that it knows to be durable.
    """

    @abstractmethod
    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        """Hand over a batch. Returns at once; the future answers when every record of it has its outcome.

        Submissions of one lane are delivered in the order of the calls, and the records of a key in the order of the
        batch, across retries. An answer means durable: a transaction answers when it is committed, with nothing
        rejected. An exception (always a ``ConnectorError``) means that nothing of the batch is certain. Futures
        may be answered in any order. Cancelling one does not take the batch back.

        Raises ``RefusedError`` at once, with nothing taken and nothing broken, where the sink has no place for what
        comes from this lane.
        """

    def bury(self, lane: str, letter: Batch) -> asyncio.Future[Outcome] | None:
        """Hand rejected records over to the sink's own dead letter, as part of this scope and answered as ``submit``.

        None: the sink has none.
        """
        return None

    def inspect_letter(self, letter: Batch) -> tuple[Rejected, ...] | None:
        """As ``Sink.inspect``, of what is to be buried in the sink's own dead letter. None: the sink has none."""
        return None

    @property
    def waits(self) -> bool:
        """Whether something submitted will be answered by the commit alone."""
        return False

    @abstractmethod
    async def commit(self, save: Save) -> None:
        """End the scope: make what was submitted durable, then the checkpoints, or both together.

        Calls ``save`` exactly once, unless it breaks before, with the places of those lanes whose submissions are
        answered by this commit; none where answers do not wait for it. Errors of ``save`` pass through unchanged;
        what waits for the commit is then given up. Raises ``UncertainError`` where nobody can say whether a
        transaction took effect. No submission may follow on this scope.
        """

    async def room(self, lane: str) -> None:
        """Wait until a submission of ``lane`` would not only queue. One that is submitted all the same is taken."""

    def withdraw(self, lanes: Collection[str]) -> None:
        """Take back what of ``lanes`` is not on its way, where that is possible. It does not break the scope.

        Their submissions raise ``WithdrawnError`` as soon as what is on its way has its outcome. They submit nothing
        until then.
        """

    def abort(self) -> None:
        """Break the scope, where it waits: nothing of it becomes visible."""


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
    def trouble(self) -> "ConnectorError | None":
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


class Observer:
    """Hears what connectors do beneath the contract. Calls come from any thread and must not block.

    This base class hears nothing; the metrics of the bridge are another.
    """

    def retried(self, operation: str, reason: str) -> None:
        """``operation`` (GetRecords, Produce, …) is going to be tried again because of ``reason``, a short word."""

    def throttled(self, operation: str) -> None:
        """The server refused ``operation`` for its rate."""

    def compressed(self, before: int, after: int) -> None:
        """``before`` bytes of records went over the wire as ``after`` bytes."""

    def transformed(self, step: str, seconds: float) -> None:
        """A batch was with ``step``, a transform's name, for so long."""


class Clock:
    """Wall time, monotonic time and waiting, passed in so that simulations and tests own time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ConnectorError(Exception):
    """The root of what connectors raise. Each class says what the caller should do.

    ``operation`` is what was tried, with its target; ``cause`` what happened; ``hint`` what a person can do about it.
    """

    retriable: ClassVar[bool] = False
    """Whether the same may succeed later without a person acting."""

    def __init__(self, operation: str, cause: str, hint: str = "") -> None:
        super().__init__(operation, cause, hint)
        self.operation = operation
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.operation}: {self.cause}"
        return f"{text} ({self.hint})" if self.hint else text


class TransientError(ConnectorError):
    """A fault of the moment: a 5xx, a broken connection in mid-run, a producer that must be made anew. Try again."""

    retriable = True


class UncertainError(TransientError):
    """A commit may or may not have taken effect: only the stored checkpoints tell. Read them anew, then go on."""


class WithdrawnError(TransientError):
    """The submission was withdrawn, as was asked for. Its scope goes on; what of it had landed the sink remembers."""


class UnreachableError(TransientError):
    """No answer from the endpoint: wrong address, network, server down. Fatal at start, retried later in a run."""


class RefusedError(ConnectorError):
    """The endpoint answered and will not: credentials, permissions, encryption keys, a missing stream or topic.

    A person must act. In mid-run the engine holds the lane, says so, and looks again now and then.
    """


class SettingsError(RefusedError):
    """What the connector was told cannot be right, whatever the endpoint would say: a setting must be changed."""


class GapError(ConnectorError):
    """Records between two places are lost, or their order is: the named alternative to a silent skip.

    ``lost_from`` and ``lost_to`` are for a person (positions or times). ``resume`` is where reading can go on if the
    operator accepts the loss; None says that the partition is gone and nothing is left to read.
    """

    def __init__(
        self, operation: str, cause: str, hint: str = "", *, lost_from: str, lost_to: str, resume: Place | None
    ) -> None:
        super().__init__(operation, cause, hint)
        self.lost_from = lost_from
        self.lost_to = lost_to
        self.resume = resume
