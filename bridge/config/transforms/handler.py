"""How a handler that was written for AWS Lambda is called, wherever it runs."""

from typing import Literal, Protocol

Event = Literal["kinesis", "firehose"]
BATCH = 100
ATTEMPTS = 3


class HandlerCalls(Protocol):
    """The keys that a section of such a handler has."""

    @property
    def event(self) -> Event | None:
        """As which service Lambda would have called it."""

    @property
    def batch(self) -> int:
        """The most records of one call."""

    @property
    def attempts(self) -> int:
        """How often one record is tried."""

    @property
    def timeout(self) -> float:
        """Of one call, in seconds."""
