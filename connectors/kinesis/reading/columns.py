"""Records of an answer as the columns of a batch: aggregates taken apart, codecs undone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from connectors.base import HEADER_OVERHEAD, RECORD_OVERHEAD, Header
from connectors.codecs.decoded import Decoded
from connectors.codecs.decoding import Decoder
from connectors.kinesis.answers import Record
from connectors.kinesis.position import After
from connectors.kinesis.shards import Shard

LARGEST_BATCH = 16 * 1024 * 1024
"""Bytes of memory that the records of one batch may take, and the last one on top: more than any answer has that is
plain."""


@dataclass(slots=True)
class Columns:
    """Columns of equal length, in the order of the shard."""

    positions: list[str] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    values: Sequence[bytes | None] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    headers: list[tuple[Header, ...]] | None = None
    """None when no record has any."""
    arrivals_ms: list[int] | None = None
    """None when no record has a time of its own."""
    size: int = 0
    """Bytes of keys and values, whole again where they were compressed."""
    headers_size: int = 0
    """Bytes of memory that the headers take."""
    read_size: int = 0
    """Bytes of data as they were read: packed, compressed."""
    taken: int = 0
    """How many of the records stand here; the last one perhaps in part."""
    is_cut: bool = False
    """Whether something of the records is left behind the last position, for want of room."""
    skipped: int = 0
    """User records left out because their aggregate does not wholly belong into the shard."""


def arrival_ms(record: Record) -> int:
    return int(record.approximate_arrival_timestamp * 1000 + 0.5)


def columns(
    records: Sequence[Record],
    decoder: Decoder,
    within: Shard | None,
    resume: After | None,
    room: int = LARGEST_BATCH,
) -> Columns:
    """``records`` as ``decoder`` decodes them, less what lies at or before ``resume``, until they take ``room`` bytes.

    ``resume`` concerns the first record only: all of it, or its user records up to ``resume.sub``. Aggregates with a
    record outside of the range of hashes of ``within`` are left out; without it every aggregate is kept.
    """
    behind = 0
    if resume is not None and resume.sub is None:
        records, resume, behind = records[1:], None, 1
    data = [record.data for record in records]
    read_size = sum(map(len, data))
    markers = decoder.markers
    if not [each for each in data if each.startswith(markers)]:
        found = _plain(records, data)
        found.taken, found.size = len(records), read_size
    else:
        found = _decoded(records, decoder, within, resume, room)
        found.size = sum(map(len, filter(None, found.values)))
    found.taken += behind
    found.read_size = read_size
    # The filter leaves out keys that are None, in C.
    found.size += sum(map(len, filter(None, found.keys)))
    return found


def pieces(records: Sequence[Record], decoder: Decoder, room: int = LARGEST_BATCH) -> Iterator[Columns]:
    """All of ``records``, as many at a time as take ``room`` bytes."""
    resume: After | None = None
    while records:
        found = columns(records, decoder, None, resume, room)
        yield found
        if not found.is_cut:
            return
        records = records[found.taken - 1 :]
        sequence, _, sub = found.positions[-1].partition("#")
        resume = After(sequence, int(sub) if sub else None)


def _plain(records: Sequence[Record], data: list[bytes]) -> Columns:
    keys = [record.partition_key for record in records]
    return Columns(
        [record.sequence_number for record in records],
        [key.encode() if key is not None else None for key in keys],
        data,
        [int(record.approximate_arrival_timestamp * 1000 + 0.5) for record in records],
    )


def _decoded(
    records: Sequence[Record], decoder: Decoder, within: Shard | None, resume: After | None, room: int
) -> Columns:
    rows = _Rows(room)
    markers = decoder.markers
    for record in records:
        if rows.room <= 0:
            rows.is_cut = True
            break
        rows.taken += 1
        key, data = _key(record), record.data
        first = 0 if resume is None or resume.sub is None else resume.sub + 1
        resume = None
        decoded = decoder.decode(key, data, first, rows.room) if data.startswith(markers) else None
        if decoded is None:
            rows.add(record, key)
        elif decoded.aggregate is None:
            rows.add_decoded(record, [record.sequence_number], decoded)
        elif within is not None and not decoded.aggregate.within(within.first_hash, within.last_hash):
            rows.skipped += len(decoded.aggregate.keys)
        else:
            following = first + len(decoded.keys)
            positions = [f"{record.sequence_number}#{sub}" for sub in range(first, following)]
            rows.add_decoded(record, positions, decoded)
            rows.is_cut = following < len(decoded.aggregate.keys)
    return rows.columns()


class _Rows:
    """Columns in the making."""

    def __init__(self, room: int) -> None:
        self.room = room
        """Bytes of memory that are left."""
        self.skipped = 0
        self.taken = 0
        self.is_cut = False
        self._positions: list[str] = []
        self._keys: list[bytes | None] = []
        self._values: list[bytes | None] = []
        self._times: list[int] = []
        self._arrivals: list[int] = []
        self._headers: list[tuple[Header, ...]] = []

    def add(self, record: Record, key: bytes | None) -> None:
        """A record as it stands."""
        arrived = arrival_ms(record)
        self._positions.append(record.sequence_number)
        self._keys.append(key)
        self._values.append(record.data)
        self._times.append(arrived)
        self._arrivals.append(arrived)
        self._headers.append(())
        self.room -= RECORD_OVERHEAD + len(record.data)

    def add_decoded(self, record: Record, positions: list[str], decoded: Decoded) -> None:
        """Records inside of ``record``, which stand at ``positions``."""
        arrived = arrival_ms(record)
        self._positions += positions
        self._keys += decoded.keys
        self._values += decoded.values
        self._times += [arrived if time is None else time for time in decoded.timestamps_ms]
        self._arrivals += [arrived] * len(positions)
        self._headers += decoded.headers
        self.room -= decoded.memory

    def columns(self) -> Columns:
        found = Columns(self._positions, self._keys, self._values, self._times)
        found.skipped, found.taken, found.is_cut = self.skipped, self.taken, self.is_cut
        if self._times != self._arrivals:
            found.arrivals_ms = self._arrivals
        if any(self._headers):
            found.headers = self._headers
            found.headers_size = sum(
                len(value or b"") + HEADER_OVERHEAD for _, value in chain.from_iterable(self._headers)
            )
        return found


def _key(record: Record) -> bytes | None:
    return record.partition_key.encode() if record.partition_key is not None else None
