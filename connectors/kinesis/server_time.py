"""The server's clock, as far as its answers tell it."""

from email.utils import parsedate_to_datetime

from connectors.base import Clock
from connectors.times import milliseconds


class ServerTime:
    """Follows the server's clock by the Date headers of its answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._header: str | None = None
        self._header_ms = 0
        self._ahead_ms = 0

    def seen(self, header: str | None) -> int:
        """The time in a Date header, in milliseconds; where there is none that tells it, the one expected now."""
        if header is None:
            return self.now_ms()
        if header != self._header:
            told_ms = _told_ms(header)
            if told_ms is None:
                return self.now_ms()
            self._header_ms = told_ms
            self._header = header
            self._ahead_ms = self._header_ms - self._clock.now_ms()
        return self._header_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._ahead_ms


def _told_ms(header: str) -> int | None:
    """The time that a Date header tells; None where it is malformed or of no zone, as that of a proxy may be."""
    try:
        time = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError):
        return None
    return milliseconds(time) if time.tzinfo is not None else None
