"""What sources and sinks share."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Connector(ABC):
    """What sources and sinks share: an async context that owns all it opens.

    Entering connects and checks what can be checked before the first record, within 25 seconds, and raises
    ``UnreachableError`` or ``RefusedError`` with the address and the cause. Leaving closes everything, whatever state
    it is in, and never raises for a broken connection.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """This very stream or topic: another one made later under the same name has another identity.

        So has one that was changed in a way after which positions or the order of keys mean something else.

        Valid once entered. Empty where the system tells nothing that distinguishes the two.
        """

    def is_regrown(self, identity: str) -> bool:
        """Whether what had ``identity`` was this very topic, with another number of partitions."""
        return False

    @property
    @abstractmethod
    def address(self) -> str:
        """The place as provenance writes it, without a position. Valid once entered.

        ``kinesis:REGION:ACCOUNT:STREAM`` or ``kafka:CLUSTER_ID:TOPIC``.
        """
