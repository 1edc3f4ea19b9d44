"""Records of an answer as the columns of a batch, aggregates taken apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.codecs import kpl
from connectors.kinesis.answers import Record
from connectors.kinesis.position import After
from connectors.kinesis.settings import Deaggregation
from connectors.kinesis.shards import Shard


@dataclass(slots=True)
class Columns:
    """Columns of equal length, in the order of the shard."""

    positions: list[str] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    size: int = 0
    """Bytes of keys and values."""
    read_size: int = 0
    """Bytes of data as they were read, aggregates still packed."""
    skipped: int = 0
    """User records left out because their aggregate does not wholly belong into the shard."""


def arrival_ms(record: Record) -> int:
    return int(record.approximate_arrival_timestamp * 1000 + 0.5)


def columns(records: Sequence[Record], mode: Deaggregation, shard: Shard | None, resume: After | None) -> Columns:
    """``records`` with their aggregates taken apart as ``mode`` says, less what lies at or before ``resume``.

    ``resume`` concerns the first record only: all of it, or its user records up to ``resume.sub``. ``shard`` gives the
    range of hashes for ``kcl``; without it every aggregate is kept.
    """
    if resume is not None and resume.sub is None:
        records, resume = records[1:], None
    data = [record.data for record in records]
    magic = kpl.MAGIC
    if mode == "never" or not [each for each in data if each.startswith(magic)]:
        found = _plain(records, data)
    else:
        found = _unpacked(records, shard if mode == "kcl" else None, resume)
    found.read_size = sum(map(len, data))
    # The filter leaves out keys that are None, in C.
    found.size = sum(map(len, found.values)) + sum(map(len, filter(None, found.keys)))
    return found


def _plain(records: Sequence[Record], data: list[bytes]) -> Columns:
    keys = [record.partition_key for record in records]
    return Columns(
        [record.sequence_number for record in records],
        [key.encode() if key is not None else None for key in keys],
        data,
        [int(record.approximate_arrival_timestamp * 1000 + 0.5) for record in records],
    )


def _unpacked(records: Sequence[Record], shard: Shard | None, resume: After | None) -> Columns:
    into = Columns()
    for record in records:
        aggregate = kpl.decode(record.data)
        if aggregate is None:
            into.positions.append(record.sequence_number)
            into.keys.append(_key(record))
            into.values.append(record.data)
            into.timestamps_ms.append(arrival_ms(record))
        elif shard is not None and not aggregate.within(shard.first_hash, shard.last_hash):
            into.skipped += len(aggregate.keys)
        else:
            _append(into, record, aggregate, 0 if resume is None or resume.sub is None else resume.sub + 1)
        resume = None
    return into


def _append(into: Columns, record: Record, aggregate: kpl.Aggregate, first: int) -> None:
    """Add the user records of ``aggregate`` from index ``first`` on."""
    count = len(aggregate.keys)
    into.positions += [f"{record.sequence_number}#{sub}" for sub in range(first, count)]
    into.keys += aggregate.keys[first:]
    into.values += aggregate.values[first:]
    into.timestamps_ms += [arrival_ms(record)] * max(0, count - first)


def _key(record: Record) -> bytes | None:
    return record.partition_key.encode() if record.partition_key is not None else None
