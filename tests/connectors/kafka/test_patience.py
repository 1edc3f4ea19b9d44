"""When the coordinator of a transaction is given up."""

from collections.abc import Callable
from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.base import TransientError, UncertainError
from connectors.kafka import transaction
from connectors.kafka.patience import LOST_S, Patience
from connectors.kafka.transaction import Transactions

_STEP_S = 2.0


class SlowClock:
    """Goes on by itself, a step each time it is asked."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        self._now += _STEP_S
        return self._now


class LostProducer:
    """Answers from the cluster, and none from the coordinator for the calls in ``lost``."""

    def __init__(self, *lost: str, cluster_answers: Callable[[], bool] = lambda: True) -> None:
        self.calls: list[str] = []
        self._lost = lost
        self._cluster_answers = cluster_answers

    def list_topics(self, _topic: str, timeout: float) -> None:
        if not self._cluster_answers():
            raise _timed_out(timeout)

    def init_transactions(self, timeout: float) -> None:
        self._call("init_transactions", timeout)

    def begin_transaction(self) -> None:
        self._call("begin_transaction", 0)

    def send_offsets_to_transaction(self, _offsets: object, _metadata: object, timeout: float) -> None:
        self._call("send_offsets_to_transaction", timeout)

    def commit_transaction(self, timeout: float) -> None:
        self._call("commit_transaction", timeout)

    def produce(self, *_: object) -> None:
        self._call("produce", 0)

    def _call(self, name: str, timeout: float) -> None:
        self.calls.append(name)
        if name in self._lost:
            raise _timed_out(timeout)


class Record:
    slot, key, value, offset = 0, b"key", b"value", 1


def _timed_out(timeout: float) -> KafkaException:
    return KafkaException(KafkaError(KafkaError._TIMED_OUT, f"not within {timeout:g} s", retriable=True))


class Unwaiting(Event):
    """Never set; waiting for it takes no time."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def transactions_of(monkeypatch: pytest.MonkeyPatch, producer: LostProducer) -> Transactions:
    monkeypatch.setattr(transaction, "Producer", lambda _settings: producer)
    return Transactions({}, "slots", Unwaiting(), "write", SlowClock().monotonic)


@pytest.mark.parametrize("call", ["init_transactions", "send_offsets_to_transaction"])
def test_a_lost_coordinator_ends_the_producer_and_nothing_is_committed(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Librdkafka may never find it again: another producer does, and what was not committed is sent anew."""
    producer = LostProducer(call)
    transactions = transactions_of(monkeypatch, producer)
    with pytest.raises(TransientError) as caught:
        _commit_one(transactions)
    assert not isinstance(caught.value, UncertainError)
    assert "commit_transaction" not in producer.calls


def test_a_coordinator_lost_at_the_commit_leaves_it_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have heard it: nobody may send the records again before the checkpoints are read."""
    with pytest.raises(UncertainError):
        _commit_one(transactions_of(monkeypatch, LostProducer("commit_transaction")))


def test_while_the_cluster_does_not_answer_a_call_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is away for minutes finds the same transaction, which its commit then ends."""
    answers = iter([False] * 20)
    producer = LostProducer("commit_transaction", cluster_answers=lambda: next(answers, True))
    with pytest.raises(UncertainError):
        _commit_one(transactions_of(monkeypatch, producer))
    assert producer.calls.count("commit_transaction") > 20


def test_patience_lasts_its_time_from_the_last_silence_of_the_cluster() -> None:
    """A cluster that has just come back gets as long as one that was never away."""
    answers, now = iter([False, True]), iter([0.0, LOST_S - 1, LOST_S, LOST_S, 2 * LOST_S - 1, 2 * LOST_S])
    patience = Patience(lambda: next(answers), lambda: next(now))
    assert [patience.is_over() for _ in range(4)] == [False, False, False, True]


def _commit_one(transactions: Transactions) -> None:
    transactions.begin(b"metadata")
    transactions.write([Record()])
    transactions.commit()
