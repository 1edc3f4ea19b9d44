"""One program mirrors the load once, watched from outside."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from bench.arrivals import Arrivals, read_arrivals
from bench.load import PARTITIONS, Load
from bench.measurement import Usage
from bench.process import STOP_S, TrialError, checked, printed, running
from tests.support.kinesis_api import create_stream, delete_stream
from tests.support.topics import create_topic, delete_topic

# The broker stamps each record when it appends it: times by one clock, whatever the program under measurement sends.
_TOPIC = {"message.timestamp.type": "LogAppendTime"}
READER = {"isolation.level": "read_committed", "log_level": 0}
_NEW_TOPIC = (
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
)
_LOOK_S = 0.02
_QUIET_S = 1.0
"""Where nothing came for so long, all came."""
_START_S = 60.0
_SLOWEST_PER_S = 2_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What one program did and used up to the moment ``done_ms`` at which all records were there to be read.

    That is the first look of many which found it so, up to 30 ms late.
    """

    arrivals: Arrivals
    usage: Usage
    done_ms: float
    whole_s: float
    """From the start of the process."""

    def records_per_second(self) -> float:
        return self.arrivals.records_per_second(self.done_ms)


@contextmanager
def new_topic(kafka: str) -> Iterator[str]:
    """An empty topic, removed afterwards."""
    name = f"bench-{uuid4().hex[:12]}"
    create_topic(kafka, name, PARTITIONS, _TOPIC)
    try:
        yield name
    finally:
        delete_topic(kafka, name)


@contextmanager
def new_stream(kinesis: str, shards: int) -> Iterator[str]:
    """An empty stream, removed afterwards."""
    name = f"bench-{uuid4().hex[:12]}"
    create_stream(kinesis, name, shards)
    try:
        yield name
    finally:
        delete_stream(kinesis, name)


def run_trial(command: Sequence[str], kafka: str, topic: str, load: Load, log: Path) -> Trial:
    """Run ``command`` until the topic holds all of ``load``, then stop it and read the topic.

    Raises ``TrialError``, and ``WrongArrivalsError`` where not every record arrived once and in its key's order.
    """
    begun_s = time.time()
    with running(command, log) as process:
        done_s, usage = _watch(process, kafka, topic, load.records, log)
        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_S)
    checked(command, code, log)
    arrivals = asyncio.run(read_arrivals(kafka, topic))
    arrivals.judge(load.counts)
    return Trial(arrivals, usage, done_s * 1000, done_s - begun_s)


def _watch(process: subprocess.Popen[bytes], kafka: str, topic: str, records: int, log: Path) -> tuple[float, Usage]:
    """When the topic held ``records`` records to be read, and what the process had used by then."""
    deadline = time.monotonic() + _START_S + records / _SLOWEST_PER_S
    done_s, usage, arrived = time.time(), Usage.of(process.pid), 0
    with LogEnds(kafka, topic) as ends:
        # The ends count commits as well as records: that there are enough is sure once there are no more.
        while arrived < records or time.time() < done_s + _QUIET_S:
            if (found := ends.total()) > arrived:
                done_s, usage, arrived = time.time(), Usage.of(process.pid), found
            if process.poll() is not None:
                raise TrialError(f"{process.args!r} ended with {process.returncode}; it printed: {printed(log)}")
            if time.monotonic() > deadline:
                raise TrialError(f"{process.args!r} brought {arrived} of {records} in time: {printed(log)}")
            time.sleep(_LOOK_S)
    return done_s, usage


class LogEnds:
    """The number of records, and of commits, in a topic up to where it can be read, for a few small requests."""

    def __init__(self, kafka: str, topic: str) -> None:
        self._consumer = Consumer({**READER, "bootstrap.servers": kafka, "group.id": topic})
        self._parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def total(self) -> int:
        """0 while the broker is not yet ready to tell."""
        try:
            return sum(self._consumer.get_watermark_offsets(part, timeout=10)[1] for part in self._parts)
        except KafkaException as error:
            if error.args[0].code() in _NEW_TOPIC:
                return 0
            raise
