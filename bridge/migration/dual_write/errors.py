"""What a dual writer raises. What its ends raise, a ``ConnectorError``, passes through as it is."""

from typing import ClassVar

from bridge.errors import BridgeError


class DualWriteError(BridgeError):
    """The root of all of them."""

    retriable: ClassVar[bool] = False
    """Whether the same may succeed later without a person acting."""


class RejectedError(DualWriteError):
    """The authority can never take this record, and so the shadow is not offered it. ``reason`` is a short word."""

    def __init__(self, operation: str, reason: str, detail: str) -> None:
        super().__init__(operation, detail)
        self.reason = reason


class ClosedError(DualWriteError):
    """The writer was left, or ended by the error that this one names as its cause. Make and enter another one."""


class SpoolError(DualWriteError):
    """The spool's file could not be read or written. Nothing was sent without being journalled."""

    retriable = True


class SpoolBusyError(DualWriteError):
    """Another writer owns the spool. Each needs a file of its own; one that was killed gives its file up at once."""


class SpoolFormatError(DualWriteError):
    """The file is none of a dual writer, or of other ends than those that were given. It is left as it is."""


class SwapError(DualWriteError):
    """The roles are as they were, and the writer goes on."""

    retriable = True
