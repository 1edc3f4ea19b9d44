"""How many records of a lane are copied up to each place."""

from collections import deque

from connectors.base import Place


class Tally:
    """Counts ahead of what is settled, too: a commit may cover that first.

    The count at a place is the same however often it is read, so that it outlasts what is given up: a commit that hung
    meanwhile may yet cover it.
    """

    def __init__(self, settled: int = 0) -> None:
        self.settled = settled
        """Those up to where the lane stands."""
        self._read = settled
        self._ahead: deque[tuple[Place, int]] = deque()

    def read(self, place: Place, records: int) -> None:
        """A batch that ends at ``place`` is on its way, ``records`` of it into the sink."""
        self._read += records
        self._ahead.append((place, self._read))

    def settle(self, records: int, refused: int = 0) -> None:
        """The oldest batch on its way is settled, ``records`` of it copied; ``refused`` were expected to be as well."""
        if refused:
            self._read -= refused
            self._ahead = deque((place, count - refused) for place, count in self._ahead)
        self.settled += records
        while self._ahead and self._ahead[0][1] <= self.settled:
            self._ahead.popleft()

    def rewind(self, place: Place) -> None:
        """Reading goes on behind ``place``."""
        self._read = self.settled = self.at(place)

    def at(self, place: Place) -> int:
        """Those up to ``place``, which is where the lane stands or a batch ends that was read since."""
        return next((count for end, count in self._ahead if end == place), self.settled)
