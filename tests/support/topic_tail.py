"""Following a topic until what was sent has come."""

import asyncio
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer

from tests.support.records import Stamp
from tests.support.waiting import DeadlineError

_POLL_MS = 200


async def until_arrived(
    address: str,
    topic: str,
    count: int,
    timeout_s: float = 60,
    isolation: Literal["read_committed", "read_uncommitted"] = "read_uncommitted",
) -> None:
    """Wait until ``count`` different generated records are in the topic, however often each."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=address,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_POLL_MS,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    found: set[int] = set()
    await consumer.start()
    try:
        async with asyncio.timeout(timeout_s):
            while len(found) < count:
                found.update(_ids(await consumer.getmany(timeout_ms=_POLL_MS)))
    except TimeoutError:
        raise DeadlineError(f"{count} records in {topic}: {len(found)} after {timeout_s:g} s") from None
    finally:
        await consumer.stop()


def _ids(answer: Any) -> list[int]:
    return [Stamp.of(message.value).id for messages in answer.values() for message in messages]


async def topic_ends(address: str, topic: str) -> dict[int, int]:
    """The offset at which the next record of each partition will stand."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=address, enable_auto_commit=False)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        return {part.partition: offset for part, offset in ends.items()}
    finally:
        await consumer.stop()
