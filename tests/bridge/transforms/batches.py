"""Batches for steps to work on."""

from collections.abc import Sequence

from connectors.base import Batch, Header, Place


def batch_of(*values: bytes | None, headers: Sequence[tuple[Header, ...]] | None = None) -> Batch:
    """One of a shard, whose records have keys, and times of their own that are not when they arrived."""
    positions = [str(100 + number) for number in range(len(values))]
    keys = [b"key-%d" % number for number in range(len(values))]
    return Batch(
        "shard",
        Place(positions[-1], 9),
        positions,
        keys,
        values,
        [1_000 + number for number in range(len(values))],
        headers,
        arrivals_ms=[2_000 + number for number in range(len(values))],
        size=sum(len(each) for each in (*keys, *values) if each is not None),
    )
