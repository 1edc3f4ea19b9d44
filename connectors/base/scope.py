"""A unit of durability in a sink."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping

from connectors.base.batch import Batch
from connectors.base.outcome import Outcome, Rejected
from connectors.base.place import Place

Save = Callable[[Mapping[str, Place]], Awaitable[None]]
"""Writes checkpoints: of the lanes it is given at the places it is given, of all others where they stand."""


class Scope(ABC):
    """A unit of durability: a transaction, or just the stretch between two checkpoints.

    A scope *breaks* when the sink can no longer say what became of a submission. Then every submission of it that is
    not yet answered raises, and so does every later one, and every one of any scope begun before the break was raised:
    nothing is delivered behind a hole. The engine then begins another scope and submits again from the last
    place that it knows to be durable.
    """

    @abstractmethod
    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        """Hand over a batch. Returns at once; the future answers when every record of it has its outcome.

        Submissions of one lane are delivered in the order of the calls, and the records of a key in the order of the
        batch, across retries. An answer means durable: a transaction answers when it is committed, with nothing
        rejected. An exception (always a ``ConnectorError``) means that nothing of the batch is certain. Futures
        may be answered in any order. Cancelling one does not take the batch back.

        Raises ``RefusedError`` at once, with nothing taken and nothing broken, where the sink has no place for what
        comes from this lane.
        """

    def bury(self, lane: str, letter: Batch) -> asyncio.Future[Outcome] | None:
        """Hand rejected records over to the sink's own dead letter, as part of this scope and answered as ``submit``.

        None: the sink has none.
        """
        return None

    def inspect_letter(self, letter: Batch) -> tuple[Rejected, ...] | None:
        """As ``Sink.inspect``, of what is to be buried in the sink's own dead letter. None: the sink has none."""
        return None

    @property
    def waits(self) -> bool:
        """Whether something submitted will be answered by the commit alone."""
        return False

    @abstractmethod
    async def commit(self, save: Save) -> None:
        """End the scope: make what was submitted durable, then the checkpoints, or both together.

        Calls ``save`` exactly once, unless it breaks before, with the places of those lanes whose submissions are
        answered by this commit; none where answers do not wait for it. Errors of ``save`` pass through unchanged;
        what waits for the commit is then given up. Raises ``UncertainError`` where nobody can say whether a
        transaction took effect. No submission may follow on this scope.
        """

    async def room(self, lane: str) -> None:
        """Wait until a submission of ``lane`` would not only queue. One that is submitted all the same is taken."""

    def withdraw(self, lanes: Collection[str]) -> None:
        """Take back what of ``lanes`` is not on its way, where that is possible. It does not break the scope.

        Their submissions raise ``WithdrawnError`` as soon as what is on its way has its outcome. They submit nothing
        until then.
        """

    def abort(self) -> None:
        """Break the scope, where it waits: nothing of it becomes visible."""
