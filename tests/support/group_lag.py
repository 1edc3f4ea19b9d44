"""What every Kafka tool sees of a consumer group: how far its offsets are behind."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

from tests.support.topic_tail import topic_ends
from tests.support.waiting import DeadlineError

_INTERVAL_S = 0.2


async def group_lag(address: str, group: str, topic: str) -> dict[int, int]:
    """Of each partition of ``topic`` how many offsets lie behind what ``group`` has committed, from 0 where nothing."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    committed = {part.partition: meta.offset for part, meta in found.items() if part.topic == topic}
    ends = await topic_ends(address, topic)
    return {partition: end - committed.get(partition, 0) for partition, end in ends.items()}


async def until_caught_up(address: str, group: str, topic: str, timeout_s: float = 30) -> None:
    """Wait until ``group`` has committed all that is in ``topic``."""
    lag: dict[int, int] = {}
    try:
        async with asyncio.timeout(timeout_s):
            while not lag or any(lag.values()):
                lag = await group_lag(address, group, topic)
                await asyncio.sleep(_INTERVAL_S)
    except TimeoutError:
        raise DeadlineError(f"lag 0 of group {group}: not within {timeout_s:g} s, but {lag}") from None
