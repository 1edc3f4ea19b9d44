"""A cluster in memory decides transactions: all that one has written is seen at once when it is committed, or never.

They end as those of Kafka do. One that was begun in an earlier generation of its group is refused, one that nobody ends
is aborted after a time, and a commit whose answer is lost has taken effect, will, or never does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Protocol

from connectors.base import ConnectorError, Record, TransientError, UncertainError
from connectors.memory.topic import MemoryTopic

TRANSACTION_S = 10.0
"""After so long the cluster aborts what is about to be committed and is not."""


class Membership(Protocol):
    """One worker in the group whose generations fence transactions."""

    def generation(self) -> int:
        """The group's generation, as this worker knows it. Raises ``TransientError`` while it is no member."""

    def is_current(self, generation: int) -> bool:
        """Whether the group is in ``generation`` and has this worker, as the group itself knows it."""


class Alone(Membership):
    """The only member of a group that never changes."""

    def generation(self) -> int:
        return 0

    def is_current(self, generation: int) -> bool:
        return True


class Change(Protocol):
    """What takes effect elsewhere together with a transaction."""

    def hold(self) -> None:
        """It is about to be decided. Who reads there waits for the end."""

    def end(self, *, committed: bool) -> None: ...


@dataclass(slots=True, eq=False)
class Transaction:
    """What is to become visible at once, by the worker ``membership``."""

    membership: Membership
    generation: int
    records: list[tuple[MemoryTopic, Record]] = field(default_factory=list)
    changes: Sequence[Change] = ()


class MemoryCluster:
    """Decides transactions. A subclass may look at each as it ends."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._prepared: dict[Transaction, asyncio.TimerHandle] = {}

    def prepare(self, transaction: Transaction) -> None:
        """The last thing before the commit. Raises ``TransientError`` where the generation it was begun in is over."""
        if not transaction.membership.is_current(transaction.generation):
            raise TransientError("commit", f"fenced: generation {transaction.generation} is over")
        for change in transaction.changes:
            change.hold()
        self._end_later(transaction, TRANSACTION_S, committed=False)

    async def commit(self, transaction: Transaction, answer: Callable[[], Awaitable[None]]) -> None:
        """Commit what is prepared. ``answer`` is the way of the answer, before or behind which it takes effect.

        Raises ``TransientError`` where the transaction has been aborted meanwhile, and ``UncertainError`` where the
        answer is lost.
        """
        is_late = self._random.random() < 0.5
        if not is_late:
            self._decide(transaction)
        try:
            await answer()
        except BaseException as error:
            self._abandon(transaction)
            if isinstance(error, ConnectorError):
                raise UncertainError("commit", f"no answer: {error}") from error
            raise
        if is_late:
            self._decide(transaction)

    def end(self, transaction: Transaction, *, committed: bool) -> None:
        """Make it visible, or not. Nothing where it has ended."""
        timer = self._prepared.pop(transaction, None)
        if timer is None:
            return
        timer.cancel()
        if committed:
            for topic, record in transaction.records:
                topic.append(record)
        for change in transaction.changes:
            change.end(committed=committed)

    def _decide(self, transaction: Transaction) -> None:
        if transaction not in self._prepared:
            raise TransientError("commit", f"aborted after {TRANSACTION_S:.0f} s")
        self.end(transaction, committed=True)

    def _abandon(self, transaction: Transaction) -> None:
        """Nobody waits for the answer any more: the request arrives now, later or never."""
        if timer := self._prepared.get(transaction):
            timer.cancel()
            delay_s = self._random.choice((0.0, self._random.uniform(0.0, TRANSACTION_S)))
            self._end_later(transaction, delay_s, committed=self._random.random() < 0.5)

    def _end_later(self, transaction: Transaction, delay_s: float, *, committed: bool) -> None:
        end = partial(self.end, transaction, committed=committed)
        # In a context of its own: the cluster goes on when the worker that has called does not.
        self._prepared[transaction] = asyncio.get_running_loop().call_later(delay_s, end, context=Context())
