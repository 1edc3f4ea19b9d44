"""How long partitions stand still when one of two workers goes, in the eyes of a consumer of committed records."""

import asyncio
import random
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from bench.flow import Flow, Follower, all_arrived
from bench.load import PARTITIONS
from bench.servers import Servers
from bench.trial import READER, new_stream, new_topic
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.mirror_process import MirrorProcess
from tests.support.waiting import DeadlineError

SHARDS = 8
RATE = 400
SESSION_S = 6.0
LEAVES, DIES, DIES_INSIDE = "leaves", "dies", "dies inside a transaction"
SETTING = (
    f"two workers, {SHARDS} shards, {RATE} records/s, session {SESSION_S:g} s: the longest silence of a shard that "
    "moved to\nthe other worker, and of those that were its all the time, as a consumer of committed records sees it"
)
TARGETS_S: Mapping[str, float] = {LEAVES: 2.0, DIES: SESSION_S + 3, DIES_INSIDE: SESSION_S + 8}
_LIMIT_S = 60.0
_SETTLED_S = 3.0
_BEFORE_S = 1.0
_FROZEN_S = 0.5
"""A transaction that is still open after it is that of the frozen worker: the other's are over in a third of it."""
_TRIES = 50
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class HandOver:
    """``moved_s`` is the longest silence of a partition that went to the other worker, ``kept_s`` of one that was
    the other's before: an open transaction hides from readers what came behind it, whoever wrote that.
    """

    moved_s: float
    kept_s: float


class Pair:
    """Two workers of one mirror, and what a consumer sees of them."""

    def __init__(self, workers: Sequence[MirrorProcess], follower: Follower, servers: Servers, topic: str) -> None:
        self._workers = workers
        self._follower = follower
        self._servers = servers
        self._topic = topic

    async def lose(self, index: int, way: str) -> HandOver:
        """The worker ``index`` goes, and comes again when the other one has taken over."""
        going, staying = self._workers[index], self._workers[1 - index]
        await self._divided()
        moved, kept = await _lanes(going), await _lanes(staying)
        begun_s = time.time()
        await self._ways[way](going)
        await _until(lambda: _has_all(staying), f"all partitions taken over, when a worker {way}")
        await asyncio.sleep(_SETTLED_S)
        found = HandOver(self._silence(moved, begun_s), self._silence(kept, begun_s))
        going.start()
        await going.ready()
        return found

    @property
    def _ways(self) -> Mapping[str, Callable[[MirrorProcess], Awaitable[object]]]:
        return {LEAVES: MirrorProcess.stop, DIES: MirrorProcess.kill, DIES_INSIDE: self._kill_inside}

    async def _divided(self) -> None:
        async def is_so() -> bool:
            shares = [await _lanes(worker) for worker in self._workers]
            return all(shares) and sum(map(len, shares)) == SHARDS

        await _until(is_so, "partitions divided among both workers")
        await asyncio.sleep(_SETTLED_S)

    def _silence(self, shards: Collection[str], since_s: float) -> float:
        since_ns = (since_s - _BEFORE_S) * 1e9
        longest = 0
        for shard in shards:
            times = [each for each in self._follower.by_shard[shard] if each >= since_ns]
            longest = max(longest, *(later - earlier for earlier, later in pairwise(times)))
        return longest / 1e9

    async def _kill_inside(self, worker: MirrorProcess) -> None:
        """Kill it while it is frozen with a transaction open."""
        for _ in range(_TRIES):
            worker.signal(signal.SIGSTOP)
            written = await asyncio.to_thread(self._ends, "read_uncommitted")
            await asyncio.sleep(_FROZEN_S)
            readable = await asyncio.to_thread(self._ends, "read_committed")
            if any(end < writing for end, writing in zip(readable, written, strict=True)):
                await worker.kill()
                return
            worker.signal(signal.SIGCONT)
            # At another moment between two reads than this one was.
            await asyncio.sleep(random.uniform(0.5, 1.0) * _FROZEN_S)
        raise DeadlineError(f"a transaction open in a frozen worker: none in {_TRIES} tries")

    def _ends(self, isolation: str) -> list[int]:
        settings: dict[str, Any] = {"bootstrap.servers": self._servers.kafka, "isolation.level": isolation}
        consumer = Consumer({**READER, **settings, "group.id": self._topic})
        try:
            parts = [TopicPartition(self._topic, number) for number in range(PARTITIONS)]
            return [consumer.get_watermark_offsets(part, timeout=10)[1] for part in parts]
        finally:
            consumer.close()


async def measure(servers: Servers, repeat: int, say: Callable[[str], None]) -> dict[str, list[HandOver]]:
    """Each way of going ``repeat`` times. Raises ``WrongFlowError`` where not every record came exactly once."""
    found: dict[str, list[HandOver]] = {way: [] for way in TARGETS_S}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kmbridge-bench-")))
        topic = stack.enter_context(new_topic(servers.kafka))
        stream = stack.enter_context(new_stream(servers.kinesis, SHARDS))
        more = {
            "name": topic,
            "checkpoints": "auto",
            "sink": {"kafka": {"delivery": "exactly_once"}},
            "workers": {"session_timeout": f"{SESSION_S:g}s"},
        }
        workers = [
            MirrorProcess(
                folder / name, StreamEnd(servers.kinesis, stream).section, TopicEnd(servers.kafka, topic).section, more
            )
            for name in ("first", "second")
        ]
        flow, follower = Flow(servers.kinesis, stream, RATE), Follower()
        for worker in workers:
            await stack.enter_async_context(worker)
        await stack.enter_async_context(follower.following(servers.kafka, topic))
        pair = Pair(workers, follower, servers, topic)
        async with flow.running():
            for number in range(repeat):
                for way, rounds in found.items():
                    rounds.append(await pair.lose(number % 2, way))
                    say(f"{way}: {rounds[-1].moved_s:.1f} s, {rounds[-1].kept_s:.1f} s in partitions that stayed")
        await all_arrived(flow, follower)
    return found


def as_json(found: Mapping[str, Sequence[HandOver]]) -> dict[str, Any]:
    return {
        way: {
            "target_s": TARGETS_S[way],
            "median_s": median(each.moved_s for each in rounds),
            "worst_s": max(each.moved_s for each in rounds),
            "kept_worst_s": max(each.kept_s for each in rounds),
        }
        for way, rounds in found.items()
    }


def as_text(found: Mapping[str, Sequence[HandOver]]) -> str:
    rows = [
        SETTING,
        f"{'a worker':<28}{'median s':>9}{'worst s':>9}{'aim s':>7}{'others, worst s':>17}",
    ]
    for way, figures in as_json(found).items():
        rows.append(
            f"{way:<28}{figures['median_s']:>9.1f}{figures['worst_s']:>9.1f}{figures['target_s']:>7g}"
            f"{figures['kept_worst_s']:>17.1f}"
        )
    return "\n".join(rows)


async def _lanes(worker: MirrorProcess) -> list[str]:
    return [lane["partition"] for lane in (await worker.status())["lanes"] if lane["state"] == "running"]


async def _has_all(worker: MirrorProcess) -> bool:
    return len(await _lanes(worker)) == SHARDS


async def _until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline_s = time.monotonic() + _LIMIT_S
    while not await holds():
        if time.monotonic() > deadline_s:
            raise DeadlineError(f"{what}: not within {_LIMIT_S:g} s")
        await asyncio.sleep(_LOOK_S)
