"""A coordinator that librdkafka has lost, as its callers feel it: a call that never returns."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from connectors.kafka import patience, transaction

_PATIENCE_S = 3.0


@contextmanager
def lost_coordinator(monkeypatch: pytest.MonkeyPatch, call: str = "send_offsets_to_transaction") -> Iterator[Event]:
    """The first ``call`` of producers that are made here does not return until the context is left.

    The event tells that it was made. What waits for it is less patient than usual.
    """
    made, released = Event(), Event()

    def stuck(self: Producer, *arguments: Any) -> None:
        if made.is_set():
            getattr(Producer, call)(self, *arguments)
            return
        made.set()
        released.wait()
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "released", retriable=True))

    monkeypatch.setattr(transaction, "Producer", type("LosingProducer", (Producer,), {call: stuck}))
    monkeypatch.setattr(patience, "LOST_S", _PATIENCE_S)
    try:
        yield made
    finally:
        released.set()
