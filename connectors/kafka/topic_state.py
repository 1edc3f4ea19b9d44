"""What is known of a source's topic in mid-run, for all that read it."""

from connectors.base import Place, RefusedError
from connectors.kafka.fetching.inbox import Inbox
from connectors.kafka.growth import GrowthGuard
from connectors.kafka.source_watch import Look
from connectors.kafka.topic import Topic

_MISSES = 2


class TopicState:
    """Lives in the event loop. Lanes are woken when there is news."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.growth = GrowthGuard(topic.name, topic.partitions)
        self.readers: set[Inbox] = set()
        """The lanes that are to hear of news."""
        self._refusal: RefusedError | None = None
        self._misses = 0
        self._look: Look | None = None

    def check(self, partition: int, place: Place, following: str) -> None:
        """Raises what stops the lane of ``partition`` at ``place``: a topic that is not what it was."""
        if self._refusal is not None:
            raise self._refusal
        self.growth.check(partition, place, following)

    def is_read_to(self, partition: int, following: int, since_s: float) -> int | None:
        """The time of the last look, if all that was there then stands before the offset ``following``.

        One from before ``since_s``, by the monotonic clock, does not count: a partition that comes from another reader
        may have grown beyond ``following`` since.
        """
        look = self._look
        if look is None or look.asked_s <= since_s:
            return None
        end = look.ends.get(partition)
        return look.asked_ms if end is not None and end <= following else None

    def see(self, look: Look) -> None:
        """Take in what was seen of the topic."""
        sight = look.sight
        self._misses = 0 if sight.partitions else self._misses + 1
        # A broker that has just started may not have heard of it.
        if self._misses >= _MISSES:
            self._refusal = self.gone()
        elif sight.id == self.topic.id:
            self._refusal = None
        elif sight.id:
            self._refusal = self.replaced(sight.id)
        self._look = look
        self.wake()

    def grow(self, partitions: int) -> bool:
        """The topic has so many partitions; whether that is news."""
        if not self.growth.see(partitions):
            return False
        self.wake()
        return True

    def wake(self) -> None:
        for reader in self.readers:
            reader.wake()

    def gone(self) -> RefusedError:
        return RefusedError(
            f"read topic {self.topic.name}", "the topic does not exist any more", "a restart looks for it anew"
        )

    def replaced(self, found: str) -> RefusedError:
        """Another topic has the name now."""
        return RefusedError(
            f"read topic {self.topic.name}",
            f"the topic was recreated: its id was {self.topic.id} and is {found}",
            "nothing is read of the new one; a restart names the gap, on_gap: continue goes on with it",
        )
