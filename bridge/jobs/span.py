"""The range of a job as a person names it: from a point, until a point."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from bridge.errors import UsageError
from connectors.base import Position
from connectors.times import milliseconds, moment_at

_OLDEST = ("trim_horizon", "earliest")
_NOW = ("now", "latest")


class Kind(Enum):
    OLDEST = auto()
    NOW = auto()
    TIME = auto()
    POSITIONS = auto()


@dataclass(frozen=True, slots=True)
class Point:
    """A time, or a position in each of some partitions; nothing of the others is meant then."""

    kind: Kind
    text: str
    """As it was given."""
    time: datetime | None = None
    positions: Mapping[str, Position] = field(default_factory=dict)
    """By partition; that of a source's only partition may have none: its name is empty."""

    @property
    def time_ms(self) -> int | None:
        """Milliseconds since the epoch, rounded down; None where it is no time."""
        return None if self.time is None else milliseconds(self.time)


def point(option: str, texts: Sequence[str]) -> Point:
    """What ``texts``, each a value of ``option``, mean.

    One of ``trim_horizon``, ``earliest``, ``now``, ``latest``, a time with its zone; or positions as ``checkpoints``
    and ``verify`` print them, each in a partition of its own: ``PARTITION/POSITION``, an address before it or not.

    Raises ``UsageError`` for anything else.
    """
    text = ", ".join(texts)
    if len(texts) == 1 and texts[0] in _OLDEST:
        return Point(Kind.OLDEST, text)
    if len(texts) == 1 and texts[0] in _NOW:
        return Point(Kind.NOW, text)
    if len(texts) == 1 and (time := _time(option, texts[0])) is not None:
        return Point(Kind.TIME, text, time)
    positions: dict[str, Position] = {}
    for each in texts:
        partition, position = _position(option, each)
        if partition in positions:
            raise UsageError(f"{option} {each}", "a second position of the same partition")
        positions[partition] = position
    return Point(Kind.POSITIONS, text, positions=positions)


def at(time_ms: int) -> Point:
    """A time in milliseconds since the epoch."""
    time = moment_at(time_ms)
    return Point(Kind.TIME, time.isoformat(), time)


def positions_in(option: str, point: Point, there: Collection[str]) -> Mapping[str, Position]:
    """What ``point`` names, each of it ``there``. Raises ``UsageError``."""
    if set(point.positions) == {""}:
        if len(there) > 1:
            raise UsageError(f"{option} {point.text}", f"which of {len(there)} partitions?", "write PARTITION/POSITION")
        return dict.fromkeys(there, point.positions[""])
    if unknown := sorted(point.positions.keys() - set(there)):
        raise UsageError(
            f"{option} {point.text}", f"the source has no partition {', '.join(unknown)}", "kmbridge checkpoints list"
        )
    return point.positions


def meant(since: Point | None, until: Point, there: Collection[str]) -> set[str]:
    """The partitions of those ``there`` that a range is about: the ones that its positions name, or all.

    Raises ``UsageError`` where it names none.
    """
    chosen = set(there)
    for option, point in (("--from", since), ("--until", until)):
        if point is not None and point.kind is Kind.POSITIONS:
            chosen &= positions_in(option, point, there).keys()
    if not chosen and there:
        raise UsageError(f"--until {until.text}", "names no partition that --from names")
    return chosen


def check_span(since: Point | None, until: Point) -> None:
    """Raises ``UsageError`` for a range that ends before it begins, as far as that can be told without the source."""
    if until.kind is Kind.OLDEST:
        raise UsageError(f"--until {until.text}", "nothing is before it", "give a later time, or now")
    if since is None or until.time is None:
        return
    if since.kind is Kind.NOW or (since.time is not None and until.time < since.time):
        raise UsageError(f"--until {until.text}", f"is before --from {since.text}")


def check_past(since: Point) -> None:
    """Raises ``UsageError`` for a range of which nothing can be there yet."""
    if since.kind is Kind.NOW:
        raise UsageError(f"--from {since.text}", "nothing has arrived since", "give an earlier time")


def _time(option: str, text: str) -> datetime | None:
    if text.isdecimal():
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.tzinfo is None:
        raise UsageError(f"{option} {text}", "a time without its zone", f"write {text}Z for UTC")
    return time


def _position(option: str, text: str) -> tuple[str, Position]:
    rest, _, position = text.rpartition("/")
    partition = rest.rpartition("/")[2]
    # Of a part: what is read is the record that it was made of.
    position = position.partition("~")[0]
    number, mark, sub = position.partition("#")
    if not number.isdecimal() or (mark and not sub.isdecimal()):
        raise UsageError(
            f"{option} {text}",
            "neither a time nor a position",
            "allowed: trim_horizon, now, an ISO-8601 time with its zone, PARTITION/POSITION",
        )
    return partition, position
