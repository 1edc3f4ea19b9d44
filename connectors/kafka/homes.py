"""Which partition a key goes to, as learned from the brokers' answers."""

from collections.abc import Iterable

_ENTRY_BYTES = 150


class Homes:
    """Partitions by key, forgotten all at once when they would take too much memory.

    One thread learns, another looks up. True as long as the topic's partition count stays.
    """

    def __init__(self, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._partitions: dict[bytes | None, int] = {}

    def learn(self, key: bytes | None, partition: int) -> None:
        """A null key has no home: it goes anywhere."""
        if key is None or key in self._partitions:
            return
        self._bytes += len(key) + _ENTRY_BYTES
        if self._bytes > self._max_bytes:
            self._partitions.clear()
            self._bytes = len(key) + _ENTRY_BYTES
        self._partitions[key] = partition

    def decisive(self, keys: Iterable[bytes | None]) -> list[int]:
        """The indexes of those records whose delivery tells that all are delivered: each partition's last.

        The brokers append a partition's records in the order of producing, and a failure stops all. A record whose
        partition is not known is decisive by itself.
        """
        homes = list(map(self._partitions.get, keys))
        last = dict(zip(homes, range(len(homes)), strict=True))
        if last.pop(None, None) is None:
            return list(last.values())
        unknown = [index for index, home in enumerate(homes) if home is None]
        return [*last.values(), *unknown]
