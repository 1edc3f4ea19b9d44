"""How many records to ask for, so that the answer fits what is reserved for it."""

from dataclasses import dataclass

from connectors.base import RECORD_OVERHEAD
from connectors.kinesis.reading.pace import CALL_S

MAX_RECORDS = 10_000

_MAX_ANSWER = 10 * 1024 * 1024
_CHUNK_S = 0.5
_SHARD_BYTES_PER_S = 2 * 1024 * 1024
_IDLE_CHUNK = 128 * 1024
# While an answer is decoded, the excess of its base64 over the data stands beside the records.
_BODY_FACTOR = 0.4
_FIRST = 10
_GROWTH = 100
_FORGET = 0.2


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of a record of the stream, with what stands beside its data."""

    read: float
    """As it was read: packed, compressed."""
    memory: float
    """Of all the records in it, taken apart and whole again; never less than ``read``."""

    def followed_by(self, seen: "Sizes") -> "Sizes":
        """What to expect after ``seen``: large ones are believed at once, small ones bit by bit."""
        return Sizes(_next(self.read, seen.read), _next(self.memory, seen.memory))


class Average:
    """Sizes over all shards of a stream: what a shard expects before its first record."""

    def __init__(self) -> None:
        self.sizes: Sizes | None = None


class ReadSize:
    """Learns how large the records of one shard are.

    Before anything is known a few records are asked for, and after that at most a hundred times as many as came before:
    two steps to the largest answer, and none that is far beyond what is reserved for it.
    """

    def __init__(self, read_share: float, largest_record: int, stream: Average) -> None:
        # A small share has few calls: they must be large enough for its bytes, although sizes are estimates.
        chunk_s = max(_CHUNK_S, 1.25 * CALL_S / read_share)
        self._chunk = min(_MAX_ANSWER, _SHARD_BYTES_PER_S * read_share * chunk_s)
        self._largest = Sizes(largest_record, largest_record)
        self._stream = stream
        self._sizes = stream.sizes
        self._ceiling = _FIRST
        self._idle = False

    def limit(self) -> int:
        """How many records to ask for next."""
        if self._sizes is None:
            self._sizes = self._stream.sizes
        if self._sizes is None:
            return _FIRST
        chunk = min(self._chunk, _IDLE_CHUNK) if self._idle else self._chunk
        fitting = min(chunk / self._sizes.read, _MAX_ANSWER / self._sizes.memory)
        return max(1, min(int(fitting), self._ceiling, MAX_RECORDS))

    def expected(self, limit: int) -> int:
        """Bytes to reserve for an answer of ``limit`` records."""
        sizes = self._sizes or self._largest
        read = min(limit * sizes.read, _MAX_ANSWER + limit * RECORD_OVERHEAD)
        return int(read * (_BODY_FACTOR + sizes.memory / sizes.read))

    def learn(self, records: int, read: int, memory: int) -> None:
        """``records`` records came, ``read`` bytes, which take ``memory`` bytes once they are taken apart."""
        self._idle = records == 0
        if records == 0:
            return
        size = max(1.0, read / records)
        seen = Sizes(size, max(size, memory / records))
        self._sizes = self._stream.sizes = (self._sizes or seen).followed_by(seen)
        self._ceiling = min(MAX_RECORDS, max(self._ceiling, records * _GROWTH))


def _next(before: float, seen: float) -> float:
    return max(seen, before + (seen - before) * _FORGET)
