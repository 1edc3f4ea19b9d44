"""An application that sends records of 1 KB as fast as they are acknowledged, and tells what that took.

``python -m bench.dual_sender PROGRAM KAFKA TOPIC KINESIS STREAM RECORDS KEYS FOLDER``
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, Thread

from confluent_kafka import KafkaError, Message, Producer

from bench.load import VALUE_BYTES
from bridge.migration.dual_write import DualWriter, DualWriteSettings, KafkaTarget, KinesisTarget
from tests.support.kinesis_api import REGION
from tests.support.ports import HOST, free_port
from tests.support.records import generate
from tests.support.waiting import eventually

AT_ONCE = 5_000
"""Records without an acknowledgement."""
_EVEN_S = 600.0

Send = Callable[[bytes, bytes], Awaitable[object]]


class BareProducer:
    """confluent-kafka as an asynchronous application uses it: a future a record, set when that is acknowledged."""

    def __init__(self, kafka: str, topic: str) -> None:
        self._topic = topic
        self._loop = asyncio.get_running_loop()
        settings = {
            "bootstrap.servers": kafka,
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            "linger.ms": 5,
        }
        self._producer = Producer(settings)
        self._over = Event()
        self._poller = Thread(target=self._poll)
        self._poller.start()

    async def send(self, key: bytes, value: bytes) -> None:
        acknowledged = self._loop.create_future()

        def hear(error: KafkaError | None, _: Message) -> None:
            self._loop.call_soon_threadsafe(acknowledged.set_result, error)

        self._producer.produce(self._topic, value, key, on_delivery=hear)
        if (error := await acknowledged) is not None:
            raise RuntimeError(str(error))

    async def close(self) -> None:
        self._over.set()
        await asyncio.to_thread(self._poller.join)

    def _poll(self) -> None:
        while not self._over.is_set():
            self._producer.poll(0.1)


@asynccontextmanager
async def bare(kafka: str, topic: str) -> AsyncIterator[Send]:
    producer = BareProducer(kafka, topic)
    try:
        yield producer.send
    finally:
        await producer.close()


async def run(arguments: list[str]) -> dict[str, float]:
    program, kafka, topic, kinesis, stream, records, keys, folder = arguments
    made = [(each.key.encode(), each.value(0)) for each in generate(int(records), int(keys), size=VALUE_BYTES)]
    if program == "bare":
        async with bare(kafka, topic) as send:
            return await _measured(send, made, _at_once)
    endpoint = kinesis if program == "dual" else f"http://{HOST}:{free_port()}"
    settings = DualWriteSettings(
        "bench",
        KafkaTarget(kafka, topic),
        KinesisTarget(stream, REGION, endpoint),
        Path(folder) / "spool.db",
        close_s=0.1,
    )
    async with DualWriter(settings) as writer:

        async def even() -> None:
            if program == "dual":
                await eventually(lambda: writer.counts().spool_records == 0, "both ends have all", _EVEN_S)

        return await _measured(writer.send, made, even)


async def _measured(
    send: Send, made: Sequence[tuple[bytes, bytes]], even: Callable[[], Awaitable[None]]
) -> dict[str, float]:
    """From the first call to the last acknowledgement, and to the moment at which both ends are ``even``."""
    left = iter(made)

    async def sender() -> None:
        for key, value in left:
            await send(key, value)

    begun, used_s = time.monotonic(), _cpu_s()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(sender())
    seconds = time.monotonic() - begun
    await even()
    return {
        "seconds": seconds,
        "even_seconds": time.monotonic() - begun,
        "cpu_seconds": _cpu_s() - used_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


async def _at_once() -> None:
    """There is one end."""


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1:]))))
