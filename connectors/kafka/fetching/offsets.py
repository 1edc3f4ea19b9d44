"""Places in a partition as offsets, and what the brokers tell about offsets."""

from collections.abc import Iterable, Mapping

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin._listoffsets import OffsetSpec

from connectors.base import Place, RefusedError
from connectors.kafka.connection import Connection, admin_client

_ANSWER_S = 8


def following(place: Place) -> int:
    """The offset that reading goes on at. Raises ``RefusedError`` for a position that is none.

    Without a position that is 0, and not the oldest record: what had expired before it was read is a gap too.
    """
    if place.position is None:
        return 0
    if place.position == "-1":
        return 0
    if not place.position.isdecimal():
        raise RefusedError(
            "read a Kafka partition", f"{place.position!r} is not an offset", "correct it with checkpoints set"
        )
    return int(place.position) + 1


def before(offset: int, watermark_ms: int | None = None) -> Place:
    """The place from which reading goes on at ``offset``."""
    return Place(str(offset - 1) if offset > 0 else None, watermark_ms)


class OffsetDesk:
    """Asks about the offsets of one topic. Every call blocks until the brokers answer, and raises ``KafkaException``.

    Not through a consumer: its calls wait for each other, and one that fetches is always in one.
    """

    def __init__(self, connection: Connection, topic: str, isolation: IsolationLevel) -> None:
        self._connection = connection
        self._topic = topic
        self._isolation = isolation

    def bounds(self, partition: int) -> tuple[int, int]:
        """Of the oldest record, and behind the newest that readers can see."""
        return self.beginnings([partition])[partition], self.ends([partition])[partition]

    def beginnings(self, partitions: Iterable[int]) -> Mapping[int, int]:
        """Of the oldest records."""
        return self._ask(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def ends(self, partitions: Iterable[int]) -> Mapping[int, int]:
        """Behind the newest records that readers can see."""
        return self._ask(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def at_time(self, partitions: Iterable[int], time_ms: int) -> Mapping[int, int]:
        """Of the first records of ``time_ms`` or later; where there is none yet, the end.

        To brokers a negative time is another question: -1 asks for the end. 0 and before it are all that there is.
        """
        if time_ms <= 0:
            return self.beginnings(partitions)
        found = self._ask(partitions, OffsetSpec.for_timestamp(time_ms))
        behind = [partition for partition, offset in found.items() if offset < 0]
        return {**found, **self.ends(behind)} if behind else found

    def _ask(self, partitions: Iterable[int], spec: OffsetSpec) -> Mapping[int, int]:
        admin = admin_client(self._connection.settings())
        asked = {TopicPartition(self._topic, partition): spec for partition in partitions}
        answers = admin.list_offsets(asked, isolation_level=self._isolation, request_timeout=_ANSWER_S)
        return {each.partition: answer.result(_ANSWER_S * 2).offset for each, answer in answers.items()}
