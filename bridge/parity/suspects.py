"""What the first pass suspects to be out of order: ranges and keys, of neither more than a bounded number."""

from collections.abc import Mapping

from bridge.parity.fold import Ranges

MOST_KEYS = 262_144
"""That are told from all others."""
_EVERY_BIT = (1 << 62) - 1


class Keys:
    """A set of keys by their hashes; when there are too many, others whose hashes fall together with them are in it."""

    def __init__(self, most: int = MOST_KEYS) -> None:
        """``most`` is a power of two."""
        self._hashes: set[int] = set()
        self._mask = _EVERY_BIT
        self._most = most

    def __contains__(self, key: object) -> bool:
        return key is not None and hash(key) & self._mask in self._hashes

    def __len__(self) -> int:
        """How many can be told apart."""
        return len(self._hashes)

    def add(self, key: bytes) -> None:
        self._hashes.add(hash(key) & self._mask)
        if len(self._hashes) > self._most:
            self._mask = self._most - 1
            self._hashes = {each & self._mask for each in self._hashes}


class Suspects:
    def __init__(self, ranges: Mapping[str, Ranges]) -> None:
        """``ranges`` are complete."""
        self.ranges: dict[str, set[int]] = {}
        """Their indexes, by origin partition."""
        self.keys = Keys()
        self._ranges = ranges

    def add(self, partition: str, rank: int, key: bytes) -> None:
        """That record stands behind one that it may have to precede."""
        index = self._ranges[partition].index(rank)
        if index is not None:
            self.ranges.setdefault(partition, set()).add(index)
        self.keys.add(key)
