"""What a handler made of one record."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """It goes on, with this value."""

    value: bytes | None


@dataclass(frozen=True, slots=True)
class Dropped:
    """It is left out on purpose."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing can be made of it."""

    reason: str
    """A short word for metrics."""
    detail: str


Fate = Kept | Dropped | Failed
