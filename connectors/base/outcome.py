"""What a sink says of what it was given."""

from collections.abc import Sequence
from dataclasses import dataclass


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
