"""What is written to the journal before its records are sent."""

from dataclasses import dataclass

from bridge.migration.dual_write.stretch import Stretch


@dataclass(frozen=True, slots=True)
class Intent:
    """A row of the journal. It is there until the shadow has what it is to have of it."""

    first: int
    """The number of its first record, which names it."""
    records: int
    size: int
    """Bytes in the file."""
    journalled_ms: int
    """Milliseconds since the epoch."""
    stretch: Stretch | None
    """What the shadow is to have; None where the authority took nothing of it."""
