"""Records that were split: how many parts there have to be of each, and which ones the sink holds."""

from collections.abc import Iterator
from dataclasses import dataclass, field

Record = tuple[str, str]
"""Origin partition and position."""


@dataclass(slots=True)
class _Split:
    count: int = 1
    """The most that a copy of the first part says."""
    places: dict[int, str] = field(default_factory=dict)
    """Where each other part was met first, by its number."""


class Parts:
    """Of any number of records; those that were not split take no memory."""

    def __init__(self) -> None:
        self._splits: dict[Record, _Split] = {}

    def __iter__(self) -> Iterator[Record]:
        """All that were split, by what the sink holds."""
        return iter(self._splits)

    def __contains__(self, record: Record) -> bool:
        return record in self._splits

    def count(self, record: Record) -> int:
        """How many there have to be, by what its first part was met to say so far."""
        return self._splits[record].count if record in self._splits else 1

    def tell(self, record: Record, count: int) -> None:
        """Its first part says that there are ``count``."""
        if count > 1:
            split = self._splits.setdefault(record, _Split())
            split.count = max(split.count, count)

    def meet(self, record: Record, part: int, place: str) -> bool:
        """The sink holds ``part``, another than the first, at ``place``. Whether that is the first copy of it."""
        places = self._splits.setdefault(record, _Split()).places
        is_first = part not in places
        places.setdefault(part, place)
        return is_first

    def lacking(self, record: Record) -> list[int]:
        """Those that there have to be, and that were not met."""
        split = self._splits[record]
        return [part for part in range(1, split.count) if part not in split.places]

    def gaps(self, record: Record) -> list[int]:
        """Those before the last one met that were not met themselves, the first one aside."""
        places = self._splits[record].places
        return [part for part in range(1, max(places, default=0)) if part not in places]

    def beyond(self, record: Record) -> list[tuple[int, str]]:
        """Those that were met and that there do not have to be, with their places."""
        split = self._splits[record]
        return [(part, place) for part, place in sorted(split.places.items()) if part >= split.count]
