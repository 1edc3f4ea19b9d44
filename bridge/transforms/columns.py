"""A batch as single records, and single records as a batch."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat

from connectors.base import Batch, Record, size_of


def records_of(batch: Batch) -> list[Record]:
    """All of ``batch``, for those who work on single ones."""
    headers = repeat(()) if batch.headers is None else batch.headers
    columns = (batch.positions, batch.keys, batch.values, batch.timestamps_ms, headers)
    return list(map(Record, repeat(batch.partition), *columns))


def rebuilt(batch: Batch, made: Sequence[tuple[int, Record]]) -> Batch:
    """What goes on instead of ``batch``: of each the index of the record of ``batch`` that it was made of, rising.

    Partition and position stay those of that record, and so does when it arrived.
    """
    positions, arrived_ms = batch.positions, batch.arrived_ms
    records = [record for _, record in made]
    keys = [record.key for record in records]
    values = [record.value for record in records]
    headers = [record.headers for record in records]
    return replace(
        batch,
        positions=[positions[index] for index, _ in made],
        keys=keys,
        values=values,
        timestamps_ms=[record.timestamp_ms for record in records],
        headers=headers if any(headers) else None,
        arrivals_ms=[arrived_ms[index] for index, _ in made],
        size=size_of(keys, values),
    )


def with_values(batch: Batch, values: Sequence[bytes | None]) -> Batch:
    """``batch`` with these values, one for each record."""
    return replace(batch, values=values, size=size_of(batch.keys, values))


def with_keys(batch: Batch, keys: Sequence[bytes | None]) -> Batch:
    """``batch`` with these keys, one for each record."""
    return replace(batch, keys=keys, size=size_of(keys, batch.values))
