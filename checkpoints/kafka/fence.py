"""Ending what dead workers left open."""

from collections.abc import Collection
from threading import Event
from typing import Protocol

from checkpoints.kafka.document import Author


class Fence(Protocol):
    """Knows which writers are dead, and ends their transactions. Its methods block, and any thread may call them."""

    def dead(self, authors: Collection[Author]) -> frozenset[Author]:
        """Those of ``authors`` whose worker is no member of its group. Whoever may be alive is not among them."""

    def end(self, author: Author, stop: Event) -> None:
        """End the transaction that ``author`` may have open; another worker may be doing the same.

        Returns when it is ended, when it turns out that it cannot be, or soon after ``stop`` is set.
        """

    def close(self) -> None:
        """Give up the connections. They are made anew if this is used again."""
