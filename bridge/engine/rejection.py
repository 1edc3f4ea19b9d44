"""A record that cannot be written, where policy says to stop there."""

from collections.abc import Sequence

from connectors.base import Batch, ConnectorError, Position, Rejected


class RejectedError(ConnectorError):
    """Nothing can be made of a record, or the sink cannot take it, and policy says to stop there."""

    def __init__(self, operation: str, cause: str, hint: str, position: Position) -> None:
        """``position`` is the record's."""
        super().__init__(operation, cause, hint)
        self.position = position


_SKIPPED = "kmbridge lane skip passes this record"


def stop_at(batch: Batch, rejected: Rejected) -> RejectedError:
    buried = "on_error: dead_letter sends such records elsewhere and goes on"
    return _stop(batch, rejected, rejected.detail, (rejected.remedy, _SKIPPED, buried))


def stop_unburied(batch: Batch, rejected: Rejected, of_letter: Rejected) -> RejectedError:
    """``of_letter`` is why the dead letter does not take the ``rejected`` record of ``batch`` either."""
    cause = f"{rejected.detail}; nor can the dead letter take it: {of_letter.detail}"
    return _stop(
        batch, rejected, cause, (of_letter.remedy, "choose a dead_letter that can hold such records", _SKIPPED)
    )


def _stop(batch: Batch, rejected: Rejected, cause: str, ways: Sequence[str]) -> RejectedError:
    position = batch.positions[rejected.index]
    return RejectedError(
        f"write record {position} of {batch.partition}", cause, "; ".join(filter(None, ways)), position
    )
