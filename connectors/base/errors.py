"""What connectors raise: each class says what the caller should do."""

from typing import ClassVar

from connectors.base.place import Place


class ConnectorError(Exception):
    """The root of what connectors raise. Each class says what the caller should do.

    ``operation`` is what was tried, with its target; ``cause`` what happened; ``hint`` what a person can do about it.
    """

    retriable: ClassVar[bool] = False
    """Whether the same may succeed later without a person acting."""

    def __init__(self, operation: str, cause: str, hint: str = "") -> None:
        super().__init__(operation, cause, hint)
        self.operation = operation
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.operation}: {self.cause}"
        return f"{text} ({self.hint})" if self.hint else text


class TransientError(ConnectorError):
    """A fault of the moment: a 5xx, a broken connection in mid-run, a producer that must be made anew. Try again."""

    retriable = True


class UncertainError(TransientError):
    """A commit may or may not have taken effect: only the stored checkpoints tell. Read them anew, then go on."""


class WithdrawnError(TransientError):
    """The submission was withdrawn, as was asked for. Its scope goes on; what of it had landed the sink remembers."""


class UnreachableError(TransientError):
    """No answer from the endpoint: wrong address, network, server down. Fatal at start, retried later in a run."""


class RefusedError(ConnectorError):
    """The endpoint answered and will not: credentials, permissions, encryption keys, a missing stream or topic.

    A person must act. In mid-run the engine holds the lane, says so, and looks again now and then.
    """


class SettingsError(RefusedError):
    """What the connector was told cannot be right, whatever the endpoint would say: a setting must be changed."""


class GapError(ConnectorError):
    """Records between two places are lost, or their order is: the named alternative to a silent skip.

    ``lost_from`` and ``lost_to`` are for a person (positions or times). ``resume`` is where reading can go on if the
    operator accepts the loss; None says that the partition is gone and nothing is left to read.
    """

    def __init__(
        self, operation: str, cause: str, hint: str = "", *, lost_from: str, lost_to: str, resume: Place | None
    ) -> None:
        super().__init__(operation, cause, hint)
        self.lost_from = lost_from
        self.lost_to = lost_to
        self.resume = resume
