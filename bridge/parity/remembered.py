"""Single records that a comparison has to know again, as many as there is memory for."""

from collections.abc import Iterable


class Remembered:
    """Places of records, each as a hash of 64 bits: chance alone hardly ever takes one for another."""

    def __init__(self, most: int) -> None:
        self.is_complete = True
        """Whether there was room for all of them."""
        self._hashes: set[int] = set()
        self._most = most

    def __contains__(self, place: tuple[str, str]) -> bool:
        """Whether the record at that partition and position is one of those remembered."""
        return hash(place) in self._hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def update(self, places: Iterable[tuple[str, str]]) -> None:
        """By partition and position."""
        for place in places:
            if len(self._hashes) < self._most:
                self._hashes.add(hash(place))
            elif place not in self:
                self.is_complete = False
