"""What a function of the user's own takes and gives."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from connectors.base import Record

Made = Record | Iterable[Record] | None
"""What becomes of one record: itself or another in its place, several, or none."""

RecordFunction = Callable[[Record], Made | Awaitable[Made]]
BatchFunction = Callable[[Sequence[Record]], Iterable[Record] | Awaitable[Iterable[Record]]]


class TryAgainError(Exception):
    """Raised by a function whose trouble will pass: the lane waits, and calls it again with the same record."""
