"""How many records to ask for, so that the answer fits what is reserved for it."""

MAX_RECORDS = 10_000
RECORD_OVERHEAD = 300
"""Bytes of memory that a record takes beside its key and value: objects, its position, its timestamp."""

_MAX_ANSWER = 10 * 1024 * 1024
_CHUNK_S = 0.5
_SHARD_BYTES_PER_S = 2 * 1024 * 1024
_IDLE_CHUNK = 128 * 1024
# Base64 makes the body of an answer a third larger than the records, and it stands beside them while they are decoded.
_WIRE_FACTOR = 1.4
_FIRST = 10
_GROWTH = 100
_FORGET = 0.2


class Average:
    """Bytes of memory of a record, over all shards of a stream: what a shard expects before its first record."""

    def __init__(self) -> None:
        self.size: float | None = None


class ReadSize:
    """Learns how large the records of one shard are. Large ones are believed at once, small ones bit by bit.

    Before anything is known a few records are asked for, and after that at most a hundred times as many as came before:
    two steps to the largest answer, and none that is far beyond what is reserved for it.
    """

    def __init__(self, read_share: float, largest_record: int, stream: Average) -> None:
        self._chunk = min(_MAX_ANSWER, _SHARD_BYTES_PER_S * read_share * _CHUNK_S)
        self._largest_record = largest_record
        self._stream = stream
        self._size = stream.size
        self._ceiling = _FIRST
        self._idle = False

    def limit(self) -> int:
        """How many records to ask for next."""
        if self._size is None:
            self._size = self._stream.size
        if self._size is None:
            return _FIRST
        chunk = min(self._chunk, _IDLE_CHUNK) if self._idle else self._chunk
        return max(1, min(int(chunk / self._size), self._ceiling, MAX_RECORDS))

    def expected(self, limit: int) -> int:
        """Bytes to reserve for an answer of ``limit`` records."""
        size = self._size if self._size is not None else self._largest_record
        return int(min(limit * size, _MAX_ANSWER + limit * RECORD_OVERHEAD) * _WIRE_FACTOR)

    def learn(self, records: int, memory: int) -> None:
        """``records`` records came, which take ``memory`` bytes."""
        self._idle = records == 0
        if records == 0:
            return
        seen = max(1.0, memory / records)
        before = self._size if self._size is not None else seen
        self._size = self._stream.size = max(seen, before + (seen - before) * _FORGET)
        self._ceiling = min(MAX_RECORDS, max(self._ceiling, records * _GROWTH))
