"""One side folded into little: what is compared first, and alone while the sides are equal."""

from dataclasses import dataclass

from bridge.parity.entry import Entry, rank

_MODULUS = 1 << 128


@dataclass(frozen=True, slots=True)
class Tally:
    """Records of one origin partition, in whatever order they came."""

    count: int = 0
    total: int = 0
    """The digests' sum: swapping two records does not change it, anything else does."""

    def plus(self, digest: int) -> "Tally":
        return Tally(self.count + 1, (self.total + digest) % _MODULUS)


class Fold:
    """Grows with the partitions of both ends, not with records or keys.

    ``rises`` stays true while the positions of every origin partition rise in every place they are read from. That is
    the order of every key, provided that a key's records are all in one place.
    """

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self._last: dict[tuple[str, str], tuple[int, ...]] = {}
        self.rises = True

    def add(self, entry: Entry) -> None:
        partition = entry.identity.partition
        self.tallies[partition] = self.tallies.get(partition, Tally()).plus(entry.digest)
        here = rank(entry.identity.position)
        if here <= self._last.get((partition, entry.place), ()):
            self.rises = False
        self._last[partition, entry.place] = here

    @property
    def count(self) -> int:
        return sum(tally.count for tally in self.tallies.values())

    def differing(self, other: "Fold") -> set[str]:
        """The origin partitions whose records are not the same on both sides."""
        partitions = self.tallies.keys() | other.tallies.keys()
        return {name for name in partitions if self.tallies.get(name) != other.tallies.get(name)}
