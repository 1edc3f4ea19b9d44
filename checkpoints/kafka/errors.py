"""What a cluster can do to a checkpoint store, beyond the contract's errors."""

from checkpoints.base import CheckpointError


class StoreUnreachableError(CheckpointError):
    """The cluster does not answer. Try again."""


class StoreRefusedError(CheckpointError):
    """The cluster does not let us. A person must act."""

    retriable = False
