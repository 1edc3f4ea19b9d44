"""The contract of what runs a handler."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class HandlerError(Exception):
    """The handler did not answer what it was asked: it raised, it ended, or its answer is none.

    Which of the records it was given is to blame it does not say.
    """

    def __init__(self, kind: str, message: str) -> None:
        """``kind`` is Lambda's errorType: the name of what was raised, or ``Runtime.ExitError`` and the like."""
        super().__init__(kind, message)
        self.kind = kind
        self.message = message

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


class Handler(ABC):
    """An async context that owns what it opens; entering raises as ``Transform`` promises."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""

    @property
    @abstractmethod
    def name(self) -> str:
        """For a person and for metrics: ``lambda orders-cleaner``."""

    @property
    @abstractmethod
    def remedy(self) -> str:
        """What a person does about records that it fails for: as ``Rejected.remedy``."""

    @abstractmethod
    async def call(self, event: bytes) -> bytes:
        """What the handler returns for ``event``, both JSON.

        Raises ``HandlerError``, a retriable ``ConnectorError`` where the same may succeed later, also when it does not
        answer in time, and ``RefusedError`` where a person must act. May be cancelled; nobody knows what the handler
        does then.
        """
