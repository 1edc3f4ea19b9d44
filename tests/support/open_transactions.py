"""Transactions that are open in a topic, as its readers feel them: what they wrote is there and not to be seen."""

import asyncio
import signal

from aiokafka import AIOKafkaConsumer

from tests.support.mirror_process import MirrorProcess
from tests.support.route import Route
from tests.support.waiting import DeadlineError

ENDED = "is gone: its transaction, if there was one, is ended"
"""What a worker says that ended what another one left open."""

_INTERVAL_S = 0.05
_COMMITS_S = 0.3
"""A commit that was under way when its worker froze takes effect within this."""
_TIMEOUT_S = 60


async def is_open(path: Route) -> bool:
    """Whether readers are held up in the topic."""
    seen, there = await _ends(path)
    return seen < there


async def freeze_amid_transaction(worker: MirrorProcess, path: Route) -> None:
    """Stop ``worker`` at a moment when it has records in a transaction that it has not begun to commit."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            while True:
                if await is_open(path):
                    worker.signal(signal.SIGSTOP)
                    await asyncio.sleep(_COMMITS_S)
                    if await is_open(path):
                        return
                    worker.signal(signal.SIGCONT)
                await asyncio.sleep(_INTERVAL_S)
    except TimeoutError:
        raise DeadlineError(f"an open transaction in {path.topic}: not within {_TIMEOUT_S} s") from None


async def _ends(path: Route) -> tuple[int, int]:
    """Where the topic ends for those who read what is committed, and where it really does."""
    seen = AIOKafkaConsumer(path.topic, bootstrap_servers=path.kafka, isolation_level="read_committed")
    there = AIOKafkaConsumer(path.topic, bootstrap_servers=path.kafka)
    ends: list[int] = []
    for consumer in (seen, there):
        await consumer.start()
        try:
            ends.append(sum((await consumer.end_offsets(list(consumer.assignment()))).values()))
        finally:
            await consumer.stop()
    return ends[0], ends[1]
