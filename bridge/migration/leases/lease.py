"""A lease: how far an application has come in one shard, and who of its workers is at it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Sentinel(StrEnum):
    """A checkpoint that names no record."""

    TRIM_HORIZON = "TRIM_HORIZON"
    """Nothing is processed."""
    LATEST = "LATEST"
    """Nothing is processed, and what had arrived before a worker first looked will not be: the table tells no time."""
    AT_TIMESTAMP = "AT_TIMESTAMP"
    """As ``LATEST``, from a time that only the application's configuration knows."""
    SHARD_END = "SHARD_END"
    """Everything is processed: the shard is closed."""


@dataclass(frozen=True, slots=True)
class Processed:
    """Every user record up to this one is processed, this one included. As text a position in the shard.

    ``sub_sequence`` counts the user records of an aggregate from 0; it is 0 for a record that is none.
    """

    sequence: str
    sub_sequence: int = 0

    def __post_init__(self) -> None:
        if not (self.sequence.isascii() and self.sequence.isdigit()):
            raise ValueError(f"{self.sequence!r} is no sequence number")
        if self.sub_sequence < 0:
            raise ValueError(f"{self.sub_sequence} is below the first user record of an aggregate")

    def __str__(self) -> str:
        return f"{self.sequence}#{self.sub_sequence}"


LeaseCheckpoint = Processed | Sentinel


@dataclass(frozen=True, slots=True)
class HashRange:
    """The hash keys of a shard, both ends included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last < 1 << 128:
            raise ValueError(f"{self.first} to {self.last} is no range of hash keys")


@dataclass(frozen=True, slots=True)
class StreamIdentifier:
    """One of the streams of an application that reads several. ``created_s``: seconds since the epoch."""

    account: str
    name: str
    created_s: int

    def __str__(self) -> str:
        return f"{self.account}:{self.name}:{self.created_s}"


@dataclass(frozen=True, slots=True)
class Lease:
    """A row of the table. Shard ids of ``parents`` and ``children`` never have a stream before them."""

    key: str
    shard: str
    stream: StreamIdentifier | None
    """None where the application reads one stream, which the table then does not name."""
    checkpoint: LeaseCheckpoint
    counter: int
    """Rises with each renewal, several times in the application's failover time."""
    owner: str | None = None
    """The worker that holds it, or held it last; None where it was given back."""
    owner_switches: int = 0
    """How often it has changed hands since the checkpoint last moved."""
    pending: LeaseCheckpoint | None = None
    """A checkpoint that is prepared and not made: it says nothing about what is processed."""
    checkpoint_owner: str | None = None
    """KCL 3.x: who still processes, and checkpoints, until it has handed over to ``owner``."""
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    hashes: HashRange | None = None
    """None where an early version did not write it."""

    @property
    def workers(self) -> tuple[str, ...]:
        """Those who are at it or were last."""
        return tuple(worker for worker in (self.checkpoint_owner, self.owner) if worker is not None)


@dataclass(frozen=True, slots=True)
class NewLease:
    """What a consumer that never ran starts from in one shard.

    ``checkpoint`` is that of a record which is in the shard, or which has been. Raises ``ValueError`` for a finished
    shard without the ``children`` that follow it: KCL would not come to an end with it.
    """

    shard: str
    checkpoint: Processed | Literal[Sentinel.TRIM_HORIZON, Sentinel.SHARD_END]
    hashes: HashRange
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.checkpoint is Sentinel.SHARD_END and not self.children:
            raise ValueError(f"{self.shard} is at its end and has no children")
