"""The bytes that all lanes of a process share."""

from typing import Protocol

RECORD_OVERHEAD = 300
"""Bytes of memory that a record takes beside key, value and headers: objects, its position, its timestamp."""
HEADER_OVERHEAD = 150
"""Bytes of memory that a header takes beside its value: two objects and its place."""


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
