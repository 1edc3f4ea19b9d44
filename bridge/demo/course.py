"""The course of a demo: servers up, write and mirror at the same time, then compare what the two ends hold."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from bridge.demo.direction import Direction, Passage
from bridge.demo.embedded_kafka import TopicAddress, embedded_kafka
from bridge.demo.embedded_kinesis import StreamAddress, embedded_kinesis
from bridge.demo.reader import Reader
from bridge.demo.result import DemoResult, percentile
from bridge.demo.workload import Workload
from bridge.demo.writer import Writer
from bridge.errors import BridgeError
from bridge.groups import together
from bridge.parity.comparison import compare
from bridge.parity.run import Run
from connectors.counted import counted

NAME = "orders"
"""Of the stream and the topic."""
SHARDS = 4
SHARD_RECORDS_PER_S = 1_000
"""What a shard takes at AWS; the embedded one would take more."""
QUIET_S = 10.0
"""When nothing has arrived for so long, nothing more will."""
_LOOK_S = 0.05

Mirroring = Callable[[StreamAddress, TopicAddress, Path], AbstractAsyncContextManager[None]]
"""A mirror between the two which works while the context lasts, and has delivered what it can when it is left."""


class Display(Protocol):
    """Shows how far a demo is."""

    def phase(self, text: str) -> None: ...

    def progress(self, written: int, arrived: int) -> None: ...


async def perform(
    direction: Direction, workload: Workload, mirroring: Mirroring, folder: Path, display: Display
) -> DemoResult:
    """Everything from the start of the servers to the verdict. ``folder`` holds what the mirror keeps meanwhile."""
    display.phase(f"starting an embedded Kinesis ({SHARDS} shards) and an embedded Kafka")
    async with (
        embedded_kinesis(NAME, SHARDS) as stream,
        embedded_kafka(NAME) as topic,
        direction(stream, topic, workload, SHARDS * SHARD_RECORDS_PER_S) as passage,
    ):
        async with mirroring(stream, topic, folder):
            records, keys = counted(workload.records, "record", ","), counted(workload.keys, "key", ",")
            display.phase(f"writing and mirroring {records} of {keys}")
            await _write_and_watch(passage.writer, passage.sink, display)
        display.phase("reading both sides to their ends and comparing them")
        source, sink = await asyncio.gather(passage.source(), passage.sink.rest())
    return _result(passage, source, sink)


async def _write_and_watch(writer: Writer, reader: Reader, display: Display) -> None:
    """Returns when as many records have arrived as were written, or when no more arrive."""
    async with together() as tasks:
        writing = tasks.create_task(writer.run(), name="writer")
        await _watch(writing, writer, reader, display)


async def _watch(writing: asyncio.Task[None], writer: Writer, reader: Reader, display: Display) -> None:
    loop = asyncio.get_running_loop()
    before, since = (0, 0), loop.time()
    while not writing.done() or reader.arrived < writer.written:
        now = (writer.written, reader.arrived)
        if now != before:
            before, since = now, loop.time()
        elif loop.time() - since > QUIET_S:
            return
        display.progress(*now)
        await asyncio.sleep(_LOOK_S)
    display.progress(writer.written, reader.arrived)


def _result(passage: Passage, source: Sequence[Run], sink: Sequence[Run]) -> DemoResult:
    writer, reader = passage.writer, passage.sink
    held = sum(map(len, source))
    if held != writer.written:
        raise BridgeError(
            "run the demo",
            f"the embedded source holds {held:,} of the {counted(writer.written, 'record', ',')} written to it",
            "nothing is proved about the mirror; run it again",
        )
    latencies = sorted(reader.latencies_ns)
    return DemoResult(
        payload_bytes=writer.written_bytes,
        elapsed_s=max(reader.last_ns - writer.started_ns, 0) / 1e9,
        latency_p50_s=percentile(latencies, 0.5) / 1e9,
        latency_p99_s=percentile(latencies, 0.99) / 1e9,
        parity=compare(source, sink),
    )
