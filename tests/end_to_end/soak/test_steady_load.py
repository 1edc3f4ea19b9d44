"""Half an hour of steady load from a stream into a topic and on into another stream, with a fault every minute."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.end_to_end.soak.faults import Scene
from tests.end_to_end.soak.gauges import Gauges
from tests.support.checker import check_exact, check_folded
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.factories import Figure, StreamFactory
from tests.support.kinesis_proxy import KinesisProxy
from tests.support.mirror_process import MirrorProcess, Status
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.topics import create_topic
from tests.support.verifying import verified, written
from tests.support.way import Way

pytestmark = [pytest.mark.broker, pytest.mark.kinesis, pytest.mark.soak]

MINUTES = float(os.environ.get("KMBRIDGE_SOAK_MINUTES", "30"))
FAULT_EVERY_S = 60.0

KEYS, SIZE = 100, 500
AT_ONCE, PAUSE_S = 40, 0.2

RECOVERED_LAG_S = 2.0
RECOVERY_S = 55.0
"""A lane that has not caught up by then is stuck."""

_AS_IN_THE_IMAGE = ("MALLOC_ARENA_MAX", "2")
"""Threads come and go with every outage of a broker; without it each leaves its share of the heap behind."""

GROWTH = 0.1
"""Of the memory, over the whole time, which noise may look like."""


class Writer:
    """Writes on and on, at a steady rate."""

    def __init__(self, end: StreamEnd, seed: int) -> None:
        self.sent: list[TestRecord] = []
        self._end = end
        self._records = generate(100_000_000, KEYS, seed=seed, size=SIZE)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        stopped = asyncio.Event()
        task = asyncio.create_task(self._write(stopped))
        try:
            yield
        finally:
            stopped.set()
            await task

    async def _write(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            some = list(islice(self._records, AT_ONCE))
            self.sent += some
            await self._end.write(some)
            await asyncio.sleep(PAUSE_S)


async def test_nothing_is_lost_and_nothing_grows(
    harmed_kafka: HarmedKafka,
    kinesis: str,
    stream: StreamFactory,
    seed: int,
    tmp_path: Path,
    figure: Figure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No lane is stuck a minute after any fault; memory and files of the mirror that is never ended stay; parity."""
    monkeypatch.setenv(*_AS_IN_THE_IMAGE)
    source, sink = StreamEnd(kinesis, stream(4)), StreamEnd(kinesis, stream(4))
    name = f"topic-{source.name}"
    create_topic(harmed_kafka.broker.address, name, 4, None)
    with KinesisProxy(kinesis) as proxy:
        topic = TopicEnd(harmed_kafka.proxy.address, name)
        lasting = Way(tmp_path / "lasting", source.at(proxy.address), topic).mirror({"checkpoints": None, "name": name})
        mortal = Way(tmp_path / "mortal", topic, sink.at(proxy.address)).mirror(
            {"checkpoints": None, "name": f"{name}-on"}
        )
        scene = Scene(harmed_kafka.broker, harmed_kafka.proxy, proxy, source, sink, mortal, Random(seed))
        writer = Writer(source, seed)
        async with lasting, mortal:
            gauges = Gauges(lasting.pid)
            watch = asyncio.create_task(gauges.watch())
            async with writer.at_work():
                slowest_s = await _harmed(scene, (lasting, mortal), figure)
            watch.cancel()
            await sink.until_arrived(len(writer.sent))
            assert [await lasting.stop(), await mortal.stop()] == [0, 0]

    settled = gauges.settled()
    figure("records", len(writer.sent))
    figure("slowest recovery", f"{slowest_s:.0f} s after the fault was over")
    figure("memory", f"{settled.samples[-1].memory / 2**20:.0f} MiB, {settled.memory_slope / 2**10:+.1f} KiB a minute")
    figure("memory each minute", " ".join(f"{each.memory / 2**20:.0f}" for each in gauges.samples[::12]))
    figure("files", f"{settled.samples[-1].files}, {settled.files_slope:+.2f} a minute")
    assert settled.memory_slope * settled.minutes <= GROWTH * settled.samples[0].memory
    assert settled.files_slope * settled.minutes <= 8

    sent = ids_by_key(writer.sent)
    in_topic = check_exact(sent, await TopicEnd(harmed_kafka.broker.address, name).ids_by_key())
    in_stream = check_folded(sent, await sink.ids_by_key())
    figure("written again into the stream", in_stream.rerun)
    assert in_topic.ok, in_topic
    assert in_stream.ok, in_stream
    for path, begin, end in (("there", source, topic), ("on", topic, sink)):
        verdict = await verified(written(tmp_path / path, begin, end))
        assert verdict.code == 0, verdict.printed


async def _harmed(scene: Scene, mirrors: tuple[MirrorProcess, ...], figure: Figure) -> float:
    """A fault every minute; the seconds of the slowest recovery."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + MINUTES * 60
    slowest_s = 0.0
    for name, harm in scene.faults():
        next_s = loop.time() + FAULT_EVERY_S
        await harm()
        over_s = loop.time()
        for mirror in mirrors:
            await mirror.until(_has_caught_up, f"recovery after: {name}", RECOVERY_S)
        took_s = loop.time() - over_s
        figure(name, f"{took_s:.1f} s")
        slowest_s = max(slowest_s, took_s)
        if loop.time() >= end_s:
            return slowest_s
        await asyncio.sleep(max(0.0, min(next_s, end_s) - loop.time()))
    return slowest_s


def _has_caught_up(status: Status) -> bool:
    lanes = [lane for lane in status["lanes"] if lane["state"] != "finished"]
    late = [each for each in lanes if each["state"] != "running" or each["lag_seconds"] > RECOVERED_LAG_S]
    return status["state"] == "running" and bool(lanes) and not late
