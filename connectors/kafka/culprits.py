"""Telling the records that a broker refuses for themselves from those which fail beside them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError

from connectors.base import Batch, Rejected
from connectors.kafka.limits import AFTER_A_CHANGE

REASONS = {
    KafkaError.MSG_SIZE_TOO_LARGE: "too_large",
    KafkaError.RECORD_LIST_TOO_LARGE: "too_large",
    KafkaError.INVALID_TIMESTAMP: "invalid_timestamp",
    KafkaError.INVALID_RECORD: "invalid_record",
}
"""What a broker says of single records. Everything else concerns the topic or the cluster."""

_HINTS = {
    "too_large": "the topic's max.message.bytes decides",
    "invalid_timestamp": "the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms decide",
    "invalid_record": "the topic's cleanup.policy (compact needs keys) and its other settings decide",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the record at ``index`` of ``batch``; ``partition`` is the topic's."""

    batch: Batch
    index: int
    topic: str
    partition: int | None
    error: KafkaError | None

    @property
    def code(self) -> int | None:
        return None if self.error is None else self.error.code()

    @property
    def place(self) -> tuple[str, int | None]:
        return self.topic, self.partition

    def rejection(self) -> Rejected:
        error = self.error or KafkaError(KafkaError.INVALID_RECORD)
        reason = REASONS[error.code()]
        return Rejected(self.index, reason, f"{error.str()} ({_HINTS[reason]})", AFTER_A_CHANGE)


def culprits(reports: Sequence[Report]) -> list[Report]:
    """The records that are refused for themselves, where that is beyond doubt.

    It is where the broker told culprits from their neighbours, or refused a single record. Otherwise all records of a
    request bear the error of one.
    """
    told = {each.place for each in reports if each.code == KafkaError._INVALID_DIFFERENT_RECORD}  # noqa: SLF001
    refused = [each for each in reports if each.code in REASONS]
    crowds = Counter(each.place for each in refused)
    return [each for each in refused if each.place in told or crowds[each.place] == 1]
