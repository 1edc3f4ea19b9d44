"""The contract between a mirror and whoever tells it what it owns."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from types import TracebackType
from typing import Protocol, Self


class Owner(Protocol):
    """Works on the slots that it owns. A coordinator calls one method at a time; a ``take`` may be cancelled."""

    async def take(self, slots: Collection[int]) -> None:
        """Begin to work on ``slots``, which are ours from now on; none where others own all."""

    async def give_up(self, slots: Collection[int]) -> None:
        """Settle and save what is under way in ``slots`` within some seconds, and stop there. Nobody else owns them
        before this returns. Slots that were never taken are no error.
        """

    async def lose(self, slots: Collection[int]) -> None:
        """Stop at once: others may own ``slots`` already, and what is under way there must not take effect."""


class Coordinator(ABC):
    """Divides a mirror's slots among its workers. Entering reaches whoever decides, leaving gives all slots up."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave, so that others take over at once. Call it when ``run`` has ended."""

    @abstractmethod
    async def run(self, owner: Owner) -> None:
        """Tell ``owner`` what it owns, and each change of that, until cancelled.

        Raises ``RefusedError`` where a person must act before this worker can own anything.
        """

    async def confirm(self) -> None:
        """Return once whoever decides has confirmed that this worker was not expelled, or ``lose`` has been called.

        For a worker that notices that it was away: what it owned before may be somebody else's by now.
        """

    @property
    def is_member(self) -> bool:
        """Whether this worker is known to those who divide, so that it owns work or waits for some."""
        return True
