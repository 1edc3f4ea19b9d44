"""What a function of the user's own takes and gives."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from connectors.base import Record

Made = Record | Iterable[Record] | None
"""What becomes of one record: itself or another in its place, several, or none."""

RecordFunction = Callable[[Record], Made | Awaitable[Made]]
"""Given a record. Whatever it raises names that record, which then goes by ``on_error``."""

BatchFunction = Callable[[Sequence[Record]], Iterable[Record] | Awaitable[Iterable[Record]]]
"""Given records that were read together, in their order, it returns what goes on instead, in the same order: a record
stands for the one whose position it has.

When it raises it is called again with each half, and so on: what it raises for a single record names that.
"""


class TryAgainError(Exception):
    """Raised by a function whose trouble will pass: the lane waits, and calls it again with the same records."""
