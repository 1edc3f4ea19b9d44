"""What one PutRecords is made of, and where it comes from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from msgspec import Struct

from connectors.kinesis.answers import PutEntry
from connectors.kinesis.writing.submission import Lane, Submission

MAX_ENTRIES = 500
"""Of one PutRecords."""
MAX_CALL = 2 * 1024 * 1024
"""Bytes of data and keys of one PutRecords that has several entries. AWS allows 10 MiB; here many are under way."""


class State(Enum):
    """Of a key."""

    IDLE = auto()
    """Nothing of it waits."""
    READY = auto()
    """Its next entry may go out."""
    OUT = auto()
    """An entry of it is out, or held back for a while."""


class Key:
    """The records of one partition key that wait."""

    __slots__ = ("ahead", "alone", "held", "name", "shard", "state", "waiting")

    def __init__(self, name: str, shard: int) -> None:
        self.name = name
        self.shard = shard
        self.state = State.IDLE
        # Most keys have one at most, for which a deque would take ten times the memory.
        self.waiting: list[Any] = []
        """Submission and index of each record, by turns."""
        self.ahead: bytes | None = None
        """The first one that waits, encoded."""
        self.alone = 0
        """How many of the first ones must each go out alone."""
        self.held: Entry | None = None
        """What was out and must go out again before anything else."""


class Entry(Struct, gc=False, eq=False):
    """The data of one Kinesis record, and the records in it: all of one key, and of one lane.

    The garbage collector, which would look at hundreds of thousands in a second, does not see them; so whoever drops
    a ``Key`` takes the entry from it first.
    """

    key: Key
    record: PutEntry
    submission: Submission
    index: int
    """The first record in it, by its place in the submission."""
    others: Sequence[Any] = ()
    """Submission and index of each record behind it, by turns."""
    failures: int = 0
    """How often in a row the server itself failed to write it."""

    @property
    def lane(self) -> Lane:
        return self.submission.lane

    def following(self) -> Iterable[tuple[Submission, int]]:
        """The records behind the first one, in order."""
        turns = iter(self.others)
        return zip(turns, turns, strict=True)


@dataclass(slots=True)
class Call:
    """Entries of different keys, to be written together."""

    entries: list[Entry] = field(default_factory=list)
    size: int = 0
    """Bytes of their data and keys."""
    before: int = 0
    """Bytes of the records in them, about."""
