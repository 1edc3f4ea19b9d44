"""What sinks in memory write to."""

from zlib import crc32

from connectors.base import Record


class MemoryTopic:
    """Partitions as lists of what was written, in order. Outlives the sinks that write to it."""

    def __init__(self, name: str, partitions: int) -> None:
        self.name = name
        self.partitions: list[list[Record]] = [[] for _ in range(partitions)]

    def append(self, record: Record) -> None:
        self.partitions[crc32(record.key or b"") % len(self.partitions)].append(record)
