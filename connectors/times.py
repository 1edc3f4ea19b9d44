"""Times in milliseconds since the epoch, as moments and as text."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_at(ms: int) -> datetime:
    """In UTC, and exact: of a quotient in seconds a fraction may be lost."""
    return _EPOCH + timedelta(milliseconds=ms)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch, rounded down. ``moment`` has a zone."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def iso(ms: int) -> str:
    """As positions write it: ``2026-01-31T12:00:00.000Z``."""
    # Not by a format: %Y is less than four digits of a year before 1000.
    return f"{moment_at(ms).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
