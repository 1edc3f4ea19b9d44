"""When the coordinator of a transaction is given up: librdkafka may have lost it for good."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest
from confluent_kafka import KafkaError, KafkaException

from connectors.base import ConnectorError, UncertainError
from connectors.kafka import transaction
from connectors.kafka.patience import LOST_S, Patience
from connectors.kafka.transaction import Transactions

_DEADLINE_S = 20.0


class LateClock:
    """So late that any patience is over, but for the moment at which it begins."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        self._now += LOST_S
        return self._now


class LostProducer:
    """Has no answer from the coordinator for the call ``lost``, which never returns."""

    def __init__(self, lost: str) -> None:
        self.calls: list[str] = []
        self.is_stuck, self.freed = Event(), Event()
        self._lost = lost

    def list_topics(self, *_: object, **__: object) -> None:
        """It has heard of brokers."""

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
        if name == self._lost:
            self.is_stuck.set()
            self.freed.wait(_DEADLINE_S)
            raise _timed_out(timeout)


class Record:
    slot, key, value, offset = 0, b"key", b"value", 1


def _timed_out(timeout: float) -> KafkaException:
    return KafkaException(KafkaError(KafkaError._TIMED_OUT, f"not within {timeout:g} s", retriable=True))


@contextmanager
def committing(
    monkeypatch: pytest.MonkeyPatch, producer: LostProducer, cluster_answers: Callable[[], bool] = lambda: True
) -> Iterator[Transactions]:
    """A transaction whose commit is stuck in the call that is lost; the thread ends with the context."""
    monkeypatch.setattr(transaction, "Producer", lambda _settings: producer)
    stopped = Event()
    transactions = Transactions({}, "slots", stopped, "write", cluster_answers, LateClock().monotonic)
    thread = Thread(target=_commit_one, args=(transactions,))
    thread.start()
    try:
        assert producer.is_stuck.wait(_DEADLINE_S)
        yield transactions
    finally:
        stopped.set()
        producer.freed.set()
        thread.join(_DEADLINE_S)
    assert not thread.is_alive()


def _commit_one(transactions: Transactions) -> None:
    with suppress(ConnectorError):
        transactions.begin(b"metadata")
        transactions.write([Record()])
        transactions.commit()


@pytest.mark.parametrize("call", ["init_transactions", "send_offsets_to_transaction", "commit_transaction"])
def test_a_coordinator_that_is_lost_is_told_though_the_call_never_returns(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Nobody may send the records again before the checkpoints are read: it may be about to commit."""
    producer = LostProducer(call)
    with committing(monkeypatch, producer) as transactions:
        assert isinstance(transactions.loss(), UncertainError)
    assert producer.calls[-1] == call


def test_a_call_that_returns_after_it_was_given_up_commits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its records are on their way again."""
    producer = LostProducer("none")
    monkeypatch.setattr(transaction, "Producer", lambda _settings: producer)
    stopped = Event()
    stopped.set()
    _commit_one(Transactions({}, "slots", stopped, "write", lambda: True, LateClock().monotonic))
    assert "commit_transaction" not in producer.calls


def test_a_call_that_returns_while_the_cluster_is_asked_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes next has patience of its own."""
    producer = LostProducer("send_offsets_to_transaction")

    def answers() -> bool:
        transactions._patience = None
        return True

    with committing(monkeypatch, producer, answers) as transactions:
        assert transactions.loss() is None


def test_a_cluster_that_does_not_answer_has_lost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is away for minutes finds the same transaction, which its commit then ends."""
    with committing(monkeypatch, LostProducer("commit_transaction"), lambda: False) as transactions:
        assert [transactions.loss() for _ in range(20)] == [None] * 20


def test_patience_lasts_its_time_from_the_last_silence_of_the_cluster() -> None:
    """A cluster that has just come back gets as long as one that was never away."""
    answers, now = iter([False, True]), iter([0.0, LOST_S - 1, LOST_S, LOST_S, 2 * LOST_S - 1, 2 * LOST_S])
    patience = Patience(lambda: next(answers), lambda: next(now))
    assert [patience.is_over() for _ in range(4)] == [False, False, False, True]
