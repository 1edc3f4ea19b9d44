import asyncio
import os
import select
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from bridge.telemetry.emf import EmfSettings, emitting
from bridge.telemetry.emf.output import MOST_BYTES, Output
from bridge.telemetry.observed import ObservedMirror
from connectors.base import Clock
from tests.bridge.telemetry.statuses import lane, status
from tests.support.waiting import eventually

ORDERS = ObservedMirror("orders", lambda: status(lane("a")))


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of one; what a test closes is its own affair."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def read(descriptor: int) -> list[dict[str, Any]]:
    """What is there, a document a line."""
    return [msgspec.json.decode(line) for line in os.read(descriptor, 1 << 16).splitlines()]


async def test_a_mirror_that_stops_is_told_of_once_more(pipe: tuple[int, int]) -> None:
    """What it did since the last interval is not missing in the sums."""
    reading, writing = pipe
    async with emitting(EmfSettings(interval_s=3600), [ORDERS], Clock(), lambda: writing):
        pass
    told = read(reading)
    assert [document for document in told if document.get("kmbridge_records_written_total") == 40]


async def test_it_is_told_every_interval(pipe: tuple[int, int]) -> None:
    """While the mirror runs, one set of documents after the other."""
    reading, writing = pipe
    async with emitting(EmfSettings(interval_s=0.01), [ORDERS], Clock(), lambda: writing):
        times: set[int] = set()
        os.set_blocking(reading, False)
        while len(times) < 3:
            await eventually(lambda: _is_readable(reading), "the next documents")
            times |= {document["_aws"]["Timestamp"] for document in read(reading)}


async def test_whoever_asks_for_nothing_gets_nothing() -> None:
    """Without the section not even the descriptor is looked at."""

    def opened() -> int:
        raise AssertionError

    async with emitting(None, [ORDERS], Clock(), opened):
        pass


async def test_a_closed_standard_output_stops_nothing() -> None:
    """It is said once, and the mirror goes on."""
    with capture_logs() as logs:
        async with emitting(EmfSettings(), [ORDERS], Clock(), lambda: None):
            pass
    assert [entry["log_level"] for entry in logs] == ["warning"]


async def test_a_reader_that_has_gone_stops_nothing_and_what_is_lost_is_counted(pipe: tuple[int, int]) -> None:
    """A broken pipe is a warning with a number, each time more is lost."""
    reading, writing = pipe
    os.close(reading)
    output = Output(writing)
    with capture_logs() as logs:
        output.write([b"{}", b"{}"])
        await eventually(output._waiting[0][0].done, "the write that fails")
        output.write([b"{}"])
    assert output.lost == 2
    (told,) = logs
    assert told["lines_lost"] == 2
    assert "Broken pipe" in told["cause"]
    assert await output.leave()


async def test_a_reader_that_does_not_read_stops_nothing_and_memory_stays_bounded(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines beyond what may wait are left out and counted; the event loop never waits, not even at the end."""
    monkeypatch.setattr("bridge.telemetry.emf.output._LEAVE_S", 0.05)
    reading, writing = pipe
    output = Output(writing)
    line = b"x" * (MOST_BYTES // 4)
    with capture_logs() as logs:
        for _ in range(5):
            output.write([line])
    assert output.lost == 2
    assert [entry["lines_lost"] for entry in logs] == [1, 2]
    assert not await output.leave()
    os.close(reading)
    # Before another test's descriptor gets the number that this thread writes to.
    assert await asyncio.to_thread(output._thread.join, 30)


async def test_a_pipe_that_refuses_instead_of_waiting_gets_every_line(pipe: tuple[int, int]) -> None:
    """Whoever shares it may have made it so: nothing is cut."""
    reading, writing = pipe
    os.set_blocking(writing, False)
    output = Output(writing)
    line = b"x" * (1 << 20)
    output.write([line])
    assert await asyncio.to_thread(_length, reading, len(line) + 1) == len(line) + 1
    assert await output.leave()


def _length(descriptor: int, wanted: int) -> int:
    """How many bytes come, until ``wanted`` have."""
    got = 0
    while got < wanted:
        got += len(os.read(descriptor, 1 << 16))
    return got


def _is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])
