"""The order of every key, as one number a key: for as many keys as fit into memory."""

from hashlib import blake2b

from bridge.parity.entry import Entry


class Chains:
    """A hash of each key's records in the order in which they were added. Records without a key have no order."""

    def __init__(self) -> None:
        self.hashes: dict[bytes, bytes] = {}
        self._places: dict[bytes, str] = {}
        self.scattered: set[bytes] = set()
        """Keys found in more than one place, which therefore have no order."""

    def add(self, entry: Entry) -> None:
        if entry.key is None:
            return
        if self._places.setdefault(entry.key, entry.place) != entry.place:
            self.scattered.add(entry.key)
        before = self.hashes.get(entry.key, b"")
        self.hashes[entry.key] = blake2b(before + entry.digest.to_bytes(16), digest_size=16).digest()

    def __len__(self) -> int:
        return len(self.hashes)

    def differing(self, other: "Chains") -> set[bytes]:
        """The keys whose records are not the same in the same order on both sides."""
        keys = self.hashes.keys() | other.hashes.keys()
        different = {key for key in keys if self.hashes.get(key) != other.hashes.get(key)}
        return different | self.scattered | other.scattered
