"""The records of every key and their order as a count and a hash a key, for as many keys as may be at a time."""

from collections.abc import Iterable
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest, xxh3_128_digest

MOST_KEYS = 100_000
"""That are followed at a time, of one side."""

_NONE = 0
"""Stands for all records without a key: they have no order, and are summed up."""

Chain = tuple[int, bytes | int]
"""How many records, and their contents in their order; of records without a key the sum."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of all keys those whose hashes end with the ``bits`` lowest bits of ``value``."""

    bits: int = 0
    value: int = 0

    def halves(self) -> tuple["Share", "Share"]:
        return Share(self.bits + 1, self.value), Share(self.bits + 1, self.value | 1 << self.bits)

    def holds(self, hashed: int) -> bool:
        return hashed & ((1 << self.bits) - 1) == self.value


def key_hash(key: bytes | None) -> int:
    """Tells keys apart; never that of none for another."""
    return _NONE if key is None else xxh3_64_intdigest(key) or 1


class Chains:
    """Follows both sides' records of a share of the keys, and takes a smaller share when there are too many keys."""

    def __init__(self, share: Share, most: int = MOST_KEYS) -> None:
        self.share = share
        self.left: list[Share] = []
        """What it gave up, to be followed another time."""
        self.chains: dict[int, Chain] = {}
        self._most = most

    @property
    def records(self) -> int:
        return sum(count for count, _ in self.chains.values())

    def count(self, key: int) -> int:
        """How many records it has."""
        return self.chains.get(key, (0, 0))[0]

    def keep(self, share: Share) -> None:
        """Go on with ``share`` alone, which is this one's or a part of it."""
        self.share = share
        self.chains = {key: chain for key, chain in self.chains.items() if share.holds(key)}

    def add(self, records: Iterable[tuple[int, int]]) -> None:
        """The next records, each key's in order: the hash of the key, and the digest of what it holds."""
        chains, mask, value = self.chains, (1 << self.share.bits) - 1, self.share.value
        for key, content in records:
            if key & mask != value:
                continue
            count, before = chains.get(key, (0, 0 if key == _NONE else b""))
            if isinstance(before, int):
                chains[key] = (count + 1, before + content)
            else:
                chains[key] = (count + 1, xxh3_128_digest(before + content.to_bytes(16)))
        while len(self.chains) > self._most:
            self.share, other = self.share.halves()
            self.left.append(other)
            self.keep(self.share)

    def differing(self, other: "Chains") -> set[int]:
        """The keys of both shares whose records are not the same, in the same order, on both sides."""
        keys = self.chains.keys() | other.chains.keys()
        return {key for key in keys if self.chains.get(key) != other.chains.get(key)}
