"""Handing a batch to librdkafka, record by record in C."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice, repeat
from operator import length_hint
from threading import Event

from confluent_kafka import KafkaError, Message, Producer

from connectors.base import ORIGIN_HEADER, Batch

Headers = list[tuple[str, str | bytes | None]]
Hearer = Callable[[KafkaError | None, Message], None]
"""Told what became of one record, by the thread that polls."""

# Records produced without a break for other threads: under a millisecond.
_CHUNK = 256


def produce(
    producer: Producer,
    topic: str,
    partition: int,
    batch: Batch,
    start: int,
    reports: Sequence[Hearer | None],
    stopped: Event,
) -> int | None:
    """Produce the records from ``start`` on, until ``stopped``; ``reports`` has one for each record of the batch.

    All go to ``partition``, which may be ``BY_KEY``.

    Where to go on once librdkafka's queue has room; None at the end. Raises ``KafkaException``.
    """
    # An iterator of a list tells how many are left, and so which record found the queue full.
    left = iter(reports[start:])
    calls = map(
        producer.produce,
        repeat(topic),
        islice(batch.values, start, None),
        islice(batch.keys, start, None),
        repeat(partition),
        left,
        repeat(None),
        islice(batch.timestamps_ms, start, None),
        islice(headers_of(batch), start, None),
    )
    try:
        for _ in range(start, len(batch), _CHUNK):
            deque(islice(calls, _CHUNK), maxlen=0)
            if stopped.is_set():
                return None
    except BufferError:
        return len(batch) - length_hint(left) - 1
    return None


def headers_of(batch: Batch) -> Iterable[Headers | None]:
    """Each record's headers as librdkafka takes them, the origin of this hop last."""
    if batch.origins is None:
        return repeat(None) if batch.headers is None else map(list, batch.headers)
    if batch.headers is None:
        # Made when each is due and dropped at once: a list of them all would set the garbage collector to work.
        return map(list, zip(zip(repeat(ORIGIN_HEADER), batch.origins, strict=False), strict=True))
    last = zip(repeat(ORIGIN_HEADER), batch.origins, strict=False)
    return (list(chain(headers, (origin,))) for headers, origin in zip(batch.headers, last, strict=True))
