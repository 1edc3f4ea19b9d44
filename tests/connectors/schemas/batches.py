"""Batches of records in frames."""

from collections.abc import Sequence

from connectors.base import Batch, Header, Place


def batch_of(
    values: Sequence[bytes | None],
    keys: Sequence[bytes | None] | None = None,
    headers: Sequence[tuple[Header, ...]] | None = None,
) -> Batch:
    positions = [str(index) for index in range(len(values))]
    return Batch(
        "shard-0",
        Place(positions[-1] if positions else None),
        positions,
        keys if keys is not None else [None] * len(values),
        values,
        [0] * len(values),
        headers,
    )
