"""Finding the record that a broker refuses, over several attempts at a transaction."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise

from confluent_kafka import KafkaError, Message

from connectors.base import Batch, Position
from connectors.kafka.culprits import REASONS, Report, culprits
from connectors.kafka.producing import Hearer

_PARTS = 8
"""Into so many the suspected records are divided in each attempt."""


class Search:
    """Nothing is looked for until a transaction fails for a record. The next attempt at the same records has a report
    on each; where these blame several, for brokers do not always name the one, they are sent in parts, until one is
    left. Used by one thread; reports come from any.
    """

    def __init__(self) -> None:
        self.records = 0
        """How many are in the transaction."""
        self._left = 0
        """How many records are yet to pass, or to fail, with reports of their own."""
        self._suspects: frozenset[tuple[str, Position]] = frozenset()
        self._heard: list[Report] = []

    def parts(self, batch: Batch) -> Iterable[Batch]:
        """``batch``, cut behind each part of the suspects in it; itself where there are none."""
        suspects = [index for index, each in enumerate(_names(batch)) if each in self._suspects]
        if not suspects:
            return (batch,)
        step = max(1, len(self._suspects) // _PARTS)
        cuts = sorted({0, suspects[0], *(index + 1 for index in suspects[step - 1 :: step]), len(batch)})
        return (batch.pick(range(first, last)) for first, last in pairwise(cuts))

    def reports(self, topic: str, batch: Batch) -> Sequence[Hearer | None]:
        """What is to hear of each record of ``batch``."""
        if self._left <= 0:
            return [None] * len(batch)
        return [partial(self._hear, topic, batch, index) for index in range(len(batch))]

    def passed(self) -> None:
        """The transaction is committed."""
        self._left = max(0, self._left - self.records)
        if self._left == 0:
            self._suspects = frozenset()
        self.records = 0
        self._heard = []

    def failed(self, *, refused: bool) -> Sequence[Report]:
        """The transaction is aborted, because a record was ``refused`` or not; the culprits, if they are found."""
        heard, self._heard = self._heard, []
        if refused:
            self._left = max(self._left, self.records)
        self.records = 0
        found = culprits(heard)
        blamed = [each for each in heard if each.code in REASONS]
        if found:
            self._suspects = frozenset()
        elif blamed:
            self._suspects = frozenset((each.batch.partition, each.batch.positions[each.index]) for each in blamed)
        return found

    def _hear(self, topic: str, batch: Batch, index: int, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._heard.append(Report(batch, index, topic, message.partition(), error))


def _names(batch: Batch) -> Iterable[tuple[str, Position]]:
    return ((batch.partition, position) for position in batch.positions)
