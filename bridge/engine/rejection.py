"""A record that cannot be written, where policy says to stop there."""

from connectors.base import Batch, ConnectorError, Position, Rejected


class RejectedError(ConnectorError):
    """Nothing can be made of a record, or the sink cannot take it, and policy says to stop there."""

    def __init__(self, operation: str, cause: str, hint: str, position: Position) -> None:
        """``position`` is the record's."""
        super().__init__(operation, cause, hint)
        self.position = position


def stop_at(batch: Batch, rejected: Rejected) -> RejectedError:
    ways = (
        rejected.remedy,
        "kmbridge lane skip passes this record",
        "on_error: dead_letter sends such records elsewhere and goes on",
    )
    return RejectedError(
        f"write record {batch.positions[rejected.index]} of {batch.partition}",
        rejected.detail,
        "; ".join(filter(None, ways)),
        batch.positions[rejected.index],
    )


def stop_unburied(batch: Batch, rejected: Rejected, of_letter: Rejected) -> RejectedError:
    """``of_letter`` is why the dead letter does not take the ``rejected`` record of ``batch`` either."""
    return RejectedError(
        f"write record {batch.positions[rejected.index]} of {batch.partition}",
        f"{rejected.detail}; nor can the dead letter take it: {of_letter.detail}",
        "choose a dead_letter that can hold such records; a raised limit is known after a restart; kmbridge lane skip "
        "passes this record",
        batch.positions[rejected.index],
    )
