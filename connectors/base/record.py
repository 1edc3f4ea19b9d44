"""One record, and the headers that say how it travelled."""

from dataclasses import dataclass

from connectors.base.place import Position

Header = tuple[str, bytes | None]

ORIGIN_HEADER = "kmbridge-origin"
"""Names where a record comes from, one header a hop, oldest first (docs: provenance)."""

REPLAY_HEADER = "kmbridge-replay"
"""Marks a record that was sent again on purpose."""

PARTS_HEADER = "kmbridge-parts"
"""Of several records made of one the first says by it how many they are; it belongs to the origin right behind it."""

DUAL_WRITE_HEADER = "kmbridge-dual-write"
"""Names a record that an application writes to two places, in both of them (docs: dual writes)."""

OWN_PREFIX = "kmbridge-"
"""Headers so named say how a record travelled, and are no part of what it holds."""


def identity_of(position: Position, part: int) -> str:
    """What tells a record from all others of its partition: its position; of a later part ``POSITION~n``."""
    return f"{position}~{part}" if part else position


@dataclass(frozen=True, slots=True)
class Record:
    """One record, made from a batch for those who need one: dead letters, checks, tests."""

    partition: str
    position: Position
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[Header, ...] = ()
