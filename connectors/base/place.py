"""Where a lane stands in its partition, and where a bounded read of it ends."""

from dataclasses import dataclass

Position = str


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
class End:
    """Where a bounded read of one partition ends: behind ``position``, or before what arrived after ``time_ms``.

    Of two the first that is met. It does not move once it is known.
    """

    position: Position | None = None
    time_ms: int | None = None
    """Milliseconds since the epoch, by the source's clock."""
