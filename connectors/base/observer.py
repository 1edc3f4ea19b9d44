"""Who hears what connectors do beneath their contracts."""


class Observer:
    """Hears what connectors do beneath the contract. Calls come from any thread and must not block.

    This base class hears nothing; the metrics of the bridge are another.
    """

    def retried(self, operation: str, reason: str) -> None:
        """``operation`` (GetRecords, Produce, …) is going to be tried again because of ``reason``, a short word."""

    def throttled(self, operation: str) -> None:
        """The server refused ``operation`` for its rate."""

    def compressed(self, before: int, after: int) -> None:
        """``before`` bytes of records went over the wire as ``after`` bytes."""

    def transformed(self, step: str, seconds: float) -> None:
        """A batch was with ``step``, a transform's name, for so long."""
