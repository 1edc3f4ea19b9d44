"""Batches of few records, for steps that are tried alone."""

from collections.abc import Sequence

from connectors.base import Batch, Header, Place

MOMENT_MS = 1_700_000_000_123
"""2023-11-14T22:13:20.123Z"""


def batch_of(
    *values: bytes | None,
    keys: Sequence[bytes | None] | None = None,
    headers: Sequence[tuple[Header, ...]] | None = None,
) -> Batch:
    """Records at positions 10, 11, …, all of one time; their keys ``k`` if none are given."""
    positions = [str(number) for number in range(10, 10 + len(values))]
    keys = [b"k"] * len(values) if keys is None else keys
    return Batch(
        "shardId-000000000000",
        Place(positions[-1]),
        positions,
        keys,
        values,
        [MOMENT_MS] * len(values),
        headers,
        size=sum(len(text) for text in (*keys, *values) if text is not None),
    )
