"""Records that the sink cannot take, and what of their batch goes on without them."""

from dataclasses import replace

from connectors.base import Batch, ConnectorError, Place, Position, Rejected


class RejectedError(ConnectorError):
    """The sink cannot take a record, and policy says to stop there."""

    def __init__(self, operation: str, cause: str, hint: str, position: Position) -> None:
        """``position`` is the record's."""
        super().__init__(operation, cause, hint)
        self.position = position


def stop_at(batch: Batch, rejected: Rejected) -> RejectedError:
    return RejectedError(
        f"write record {batch.positions[rejected.index]} of {batch.partition}",
        rejected.detail,
        "a raised limit is known after a restart; kmbridge lane skip passes this record; on_error: dead_letter sends "
        "such records elsewhere and goes on",
        batch.positions[rejected.index],
    )


def until(batch: Batch, index: int, before: Place) -> Batch:
    """The records of ``batch`` before ``index``; ``before`` is the place that the batch follows."""
    place = Place(batch.positions[index - 1], before.watermark_ms) if index else before
    return replace(batch.pick(range(index)), place=place, skipped={}, is_last=False)


def without(batch: Batch, rejected: tuple[Rejected, ...]) -> Batch:
    if not rejected:
        return batch
    return batch.pick(batch.others(rejected))
