"""Records of an answer as the columns of a batch: aggregates taken apart, codecs undone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from connectors.base import Header
from connectors.codecs.decoded import Decoded
from connectors.codecs.decoding import Decoder
from connectors.kinesis.answers import Record
from connectors.kinesis.position import After
from connectors.kinesis.shards import Shard

_HEADER_OVERHEAD = 150
"""Bytes of memory that a header takes beside its value: two objects and its place."""


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
    skipped: int = 0
    """User records left out because their aggregate does not wholly belong into the shard."""


def arrival_ms(record: Record) -> int:
    return int(record.approximate_arrival_timestamp * 1000 + 0.5)


def columns(records: Sequence[Record], decoder: Decoder, within: Shard | None, resume: After | None) -> Columns:
    """``records`` as ``decoder`` decodes them, less what lies at or before ``resume``.

    ``resume`` concerns the first record only: all of it, or its user records up to ``resume.sub``. Aggregates with a
    record outside of the range of hashes of ``within`` are left out; without it every aggregate is kept.
    """
    if resume is not None and resume.sub is None:
        records, resume = records[1:], None
    data = [record.data for record in records]
    read_size = sum(map(len, data))
    markers = decoder.markers
    if not [each for each in data if each.startswith(markers)]:
        found = _plain(records, data)
        found.size = read_size
    else:
        found = _decoded(records, decoder, within, resume)
        found.size = sum(map(len, filter(None, found.values)))
    found.read_size = read_size
    # The filter leaves out keys that are None, in C.
    found.size += sum(map(len, filter(None, found.keys)))
    return found


def _plain(records: Sequence[Record], data: list[bytes]) -> Columns:
    keys = [record.partition_key for record in records]
    return Columns(
        [record.sequence_number for record in records],
        [key.encode() if key is not None else None for key in keys],
        data,
        [int(record.approximate_arrival_timestamp * 1000 + 0.5) for record in records],
    )


def _decoded(records: Sequence[Record], decoder: Decoder, within: Shard | None, resume: After | None) -> Columns:
    rows = _Rows()
    markers = decoder.markers
    for record in records:
        key, data = _key(record), record.data
        decoded = decoder.decode(key, data) if data.startswith(markers) else None
        if decoded is None:
            rows.add(record, key)
        elif decoded.aggregate is None:
            rows.add_decoded(record, [record.sequence_number], decoded, 0)
        elif within is not None and not decoded.aggregate.within(within.first_hash, within.last_hash):
            rows.skipped += len(decoded.keys)
        else:
            first = 0 if resume is None or resume.sub is None else resume.sub + 1
            subs = range(first, len(decoded.keys))
            rows.add_decoded(record, [f"{record.sequence_number}#{sub}" for sub in subs], decoded, first)
        resume = None
    return rows.columns()


class _Rows:
    """Columns in the making."""

    def __init__(self) -> None:
        self.skipped = 0
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

    def add_decoded(self, record: Record, positions: list[str], decoded: Decoded, first: int) -> None:
        """The records inside of ``record`` from index ``first`` on, which stand at ``positions``."""
        arrived = arrival_ms(record)
        self._positions += positions
        self._keys += decoded.keys[first:]
        self._values += decoded.values[first:]
        self._times += [arrived if time is None else time for time in decoded.timestamps_ms[first:]]
        self._arrivals += [arrived] * len(positions)
        self._headers += decoded.headers[first:]

    def columns(self) -> Columns:
        found = Columns(self._positions, self._keys, self._values, self._times, skipped=self.skipped)
        if self._times != self._arrivals:
            found.arrivals_ms = self._arrivals
        if any(self._headers):
            found.headers = self._headers
            found.headers_size = sum(
                len(value or b"") + _HEADER_OVERHEAD for _, value in chain.from_iterable(self._headers)
            )
        return found


def _key(record: Record) -> bytes | None:
    return record.partition_key.encode() if record.partition_key is not None else None
