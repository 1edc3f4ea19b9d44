"""From when on an end can have some records."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Since:
    """Both in milliseconds since the epoch."""

    journalled_ms: int
    """When the first of them was journalled: none arrived anywhere before."""
    stamped_ms: int
    """None bears a time from before, be it its own or that of its arrival."""

    @classmethod
    def first(cls, each: "Collection[Since]") -> "Since":
        """That of them all. Raises ``ValueError`` where there are none."""
        return cls(min(since.journalled_ms for since in each), min(since.stamped_ms for since in each))
