"""Records that keep coming, stamped when they are sent, and a reader that notes when each one is there."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from aiokafka import AIOKafkaConsumer

from bench.load import VALUE_BYTES
from connectors.base import ORIGIN_HEADER
from tests.support.kinesis_api import kinesis_session
from tests.support.records import Stamp, TestRecord
from tests.support.waiting import eventually

TICK_S = 0.01
"""Records are written so often, those of one tick in one call."""
_FETCH_MS = 5
_FILLER = bytes(VALUE_BYTES - 24)


class Flow:
    """Writes ``rate`` records a second into a stream until it is stopped."""

    def __init__(self, kinesis: str, stream: str, rate: float) -> None:
        self.sent = 0
        self.begun_ns = 0
        """When the first one was sent."""
        self._kinesis = kinesis
        self._stream = stream
        self._rate = rate

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Raises what the stream refused."""
        stopped = asyncio.Event()
        writing = asyncio.create_task(self._write(stopped), name="write")
        try:
            yield
        finally:
            # Not cancelled: the call that is under way is waited for, so that what it wrote is known.
            stopped.set()
            await writing

    async def _write(self, stopped: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        self.begun_ns = time.time_ns()
        async with kinesis_session(self._kinesis) as client:
            begun_s = loop.time()
            for tick in count(1):
                if stopped.is_set():
                    return
                await self._put(client, round(tick * TICK_S * self._rate))
                await asyncio.sleep(begun_s + tick * TICK_S - loop.time())

    async def _put(self, client: Any, until: int) -> None:
        ids, self.sent = range(self.sent, until), until
        if not ids:
            return
        now = time.time_ns()
        entries = [{"Data": TestRecord(id_, "", 0, _FILLER).value(now), "PartitionKey": f"key-{id_}"} for id_ in ids]
        answer = await client.put_records(StreamName=self._stream, Records=entries)
        if answer.get("FailedRecordCount"):
            raise RuntimeError(f"{self._stream} refused {answer['FailedRecordCount']} records")


class Follower:
    """Reads a topic as it grows, committed records only."""

    def __init__(self) -> None:
        self.times: dict[int, tuple[int, int]] = {}
        """By record: when it was sent and when it was here, in nanoseconds."""
        self.doubled = 0
        self.by_shard: dict[str, list[int]] = defaultdict(list)
        """When records of each shard were here, by what they say of their origin."""

    @asynccontextmanager
    async def following(self, address: str, topic: str) -> AsyncIterator[None]:
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=address,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_FETCH_MS,
        )
        await consumer.start()
        reading = asyncio.create_task(self._read(consumer), name="read")
        try:
            yield
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            await consumer.stop()

    async def _read(self, consumer: Any) -> None:
        while True:
            answer: Mapping[Any, Any] = await consumer.getmany(timeout_ms=1000)
            now = time.time_ns()
            for message in (each for messages in answer.values() for each in messages):
                stamp = Stamp.of(message.value)
                self.doubled += stamp.id in self.times
                self.times.setdefault(stamp.id, (stamp.sent_ns, now))
                self.by_shard[_shard(message.headers)].append(now)


async def all_arrived(flow: Flow, follower: Follower, timeout_s: float = 30) -> None:
    """Wait for what was sent. Raises ``DeadlineError``, and ``WrongFlowError`` where a record came more than once."""
    await eventually(lambda: len(follower.times) >= flow.sent, f"{flow.sent} records", timeout_s)
    if follower.doubled:
        raise WrongFlowError(f"{follower.doubled} of {flow.sent} records came more than once")


class WrongFlowError(Exception):
    """What came is not what was sent: the figures mean nothing."""


def _shard(headers: Any) -> str:
    for name, value in headers:
        if name == ORIGIN_HEADER:
            return str(value.decode().partition(">")[0].split("/")[1])
    return ""
