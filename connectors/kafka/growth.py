"""Topics that get more partitions: keys move between them, and the order of a key across the change is lost."""

from connectors.base import GapError, Place
from connectors.counted import counted


class GrowthGuard:
    """Stops each lane once when the topic has more partitions than when it was opened.

    Reading again from the place offered with the error means that the operator accepts it.
    """

    def __init__(self, topic: str, partitions: int) -> None:
        self._topic = topic
        self._opened_with = partitions
        self._offered: dict[int, Place] = {}
        self._accepted_by: set[int] = set()
        self.seen = partitions
        """How many there are."""
        self.accepted = partitions
        """How many are taken for the right number: those of the opening, or as many as a lane has accepted."""

    def see(self, partitions: int) -> bool:
        """The topic has so many now; whether that is news. Fewer there cannot be: it is another topic then."""
        if partitions <= self.seen:
            return False
        self.seen = partitions
        self._offered.clear()
        self._accepted_by.clear()
        return True

    def enter(self, partition: int, after: Place) -> None:
        """A lane begins to read."""
        if self._offered.pop(partition, None) == after:
            self._accepted_by.add(partition)
            self.accepted = self.seen

    def check(self, partition: int, place: Place, following: str) -> None:
        """Raises ``GapError`` where there are more and the lane at ``place`` has not accepted that.

        ``following`` tells a person where it would go on.
        """
        if self.seen == self._opened_with or partition in self._accepted_by:
            return
        self._offered[partition] = place
        raise GapError(
            f"read partition {partition} of topic {self._topic}",
            f"the topic had {counted(self._opened_with, 'partition')} and has {self.seen}: keys have moved to other "
            "partitions, where their records may be read before those that are left here",
            "kmbridge lane skip accepts that for a lane, on_gap: continue for all",
            lost_from=following,
            lost_to="the end, of which the order across partitions is lost",
            resume=place,
        )
