"""The text of a place in a shard, and what it means to Kinesis.

A position is one of: ``trim_horizon``, before the oldest record that is still there; an ISO-8601 time in UTC with
milliseconds, before the first record that arrived at or after it; a sequence number, after that record;
``SEQUENCE#SUB``, after one user record (0-based) inside an aggregated record; ``SEQUENCE#-1``, before the first one
inside, or before the record where it is not aggregated.
"""

from dataclasses import dataclass
from datetime import datetime

from connectors.base import Position
from connectors.times import iso, milliseconds

TRIM_HORIZON = "trim_horizon"

_BEHIND_ALL = 1 << 63


@dataclass(frozen=True, slots=True)
class Oldest:
    """Before the oldest record that the shard still holds."""

    def __str__(self) -> str:
        return TRIM_HORIZON


@dataclass(frozen=True, slots=True)
class Moment:
    """Before the first record that arrived at or after ``ms``, milliseconds since the epoch."""

    ms: int

    def __str__(self) -> str:
        return iso(self.ms)


@dataclass(frozen=True, slots=True)
class After:
    """After a record, or after the user record ``sub`` inside of it."""

    sequence: str
    sub: int | None = None

    def __str__(self) -> str:
        return self.sequence if self.sub is None else f"{self.sequence}#{self.sub}"


Point = Oldest | Moment | After


def parse(position: Position | None) -> Point:
    """What a position means; None is the beginning. Raises ``ValueError`` for text that is none."""
    if position is None or position == TRIM_HORIZON:
        return Oldest()
    sequence, mark, sub = position.partition("#")
    if _is_number(sequence) and (not mark or _is_number(sub) or sub == "-1"):
        return After(sequence, int(sub) if mark else None)
    try:
        moment = datetime.fromisoformat(position)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{position!r} is no position: trim_horizon, a time with its zone, SEQUENCE or SEQUENCE#SUB")
    return Moment(milliseconds(moment))


def rank(position: Position | None) -> tuple[int, ...]:
    """Sorts the places of a shard. A record as a whole stands where its last user record does. Raises as ``parse``."""
    match parse(position):
        case After(sequence, sub):
            return (int(sequence), _BEHIND_ALL if sub is None else sub)
        case _:
            return ()


def just_before(position: Position) -> Position:
    """The place from which reading begins with what stands at ``position``. Raises as ``parse``."""
    match parse(position):
        case After(sequence, sub):
            return str(After(sequence, -1 if sub is None else max(-1, sub - 1)))
        case point:
            return str(point)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
