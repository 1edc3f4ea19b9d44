"""How long a transaction's coordinator may be silent while its cluster answers."""

from collections.abc import Callable, Mapping

from confluent_kafka import KafkaException

from connectors.kafka.connection import admin_client

LOST_S = 10.0
_ANSWER_S = 2.0


def answers(client: Mapping[str, object]) -> bool:
    """Whether the cluster that ``client`` configures answers somebody new: who was there before may have lost it.

    Blocks, not longer than some seconds.
    """
    try:
        admin_client(client).list_topics(timeout=_ANSWER_S)
    except KafkaException:
        return False
    return True


class Patience:
    """With one call to a coordinator, which is repeated until its outcome is known.

    librdkafka (2.16) can lose a coordinator for good: it forgets brokers that were missing from the cluster's metadata
    for a moment, as one is that was away for longer than its own session. What it had for them then waits for a
    connection that is never made, and the call never returns, whatever its time-out. Another producer finds the
    coordinator again. While the cluster does not answer at all nothing is gained by another one.
    """

    def __init__(self, cluster_answers: Callable[[], bool], monotonic: Callable[[], float]) -> None:
        self._cluster_answers = cluster_answers
        self._monotonic = monotonic
        self._deadline = monotonic() + LOST_S

    def is_over(self) -> bool:
        """Whether the coordinator is to be given up. May block as long as ``cluster_answers``."""
        if self._monotonic() < self._deadline:
            return False
        if self._cluster_answers():
            return True
        self._deadline = self._monotonic() + LOST_S
        return False
