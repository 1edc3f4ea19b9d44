"""Why nothing was translated."""

from bridge.errors import BridgeError


class MirrorBehindError(BridgeError):
    """The old consumer is past what is mirrored: let the mirror catch up, then translate again."""


class UnknownPlaceError(BridgeError):
    """What the old consumer has stored does not tell where it stands. A person must say it."""


class ConsumerMovingError(BridgeError):
    """A consumer is at work whose place is to be read for good, or set. Stop it, then translate again."""


class LostRecordsError(BridgeError):
    """Some records that the old consumer has not processed are not on the new side. A backfill may bring them."""
