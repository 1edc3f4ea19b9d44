"""What a registry is asked, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import ClassVar, Self

from connectors.schemas.definition import Compatibility, Definition, Registered
from connectors.schemas.framing.frame import Framing


class Registry(ABC):
    """Keeps schemas. An async context; entering asks it something, and raises as ``Connector`` promises.

    Every call raises a ``TransientError`` where it may succeed later, and ``RefusedError`` where a person must act.
    """

    kind: ClassVar[str]
    """``glue`` or ``confluent``."""
    framing: Framing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Which registry it is, for a person."""

    @abstractmethod
    async def fetch(self, schema: bytes) -> Registered | None:
        """The schema, with all that it refers to; None where the registry has no such id."""

    @abstractmethod
    async def compatibility(self, subject: str) -> Compatibility | None:
        """What holds for later versions of ``subject``; None where nothing of the other registries' equals it."""

    @abstractmethod
    async def before(self, schema: Registered) -> Sequence[Definition]:
        """What was registered before ``schema`` under its subject, the oldest first."""

    @abstractmethod
    def adapted(self, definition: Definition) -> Definition:
        """``definition`` as this registry takes it. May take milliseconds. Raises ``RefusedError`` where it cannot."""

    @abstractmethod
    async def register(self, subject: str, definition: Definition, compatibility: Compatibility | None) -> bytes:
        """Have ``definition``, which is adapted, under ``subject``, and return what names it once it can be used.

        Does nothing to one that is there. ``compatibility`` is set where ``subject`` is new.
        """
