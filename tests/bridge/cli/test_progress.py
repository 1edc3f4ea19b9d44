"""How the progress of a job looks, on a terminal and elsewhere."""

import asyncio
import io
import json
import logging
import sys
import threading

import pytest

from bridge.cli import progress as shown
from bridge.cli.progress import showing
from bridge.jobs.progress import JobProgress, PartProgress, State
from tests.support.waiting import eventually


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _partition(name: str, state: State = State.COPYING, share: float | None = 0.5) -> PartProgress:
    return PartProgress(name, state, share, 50, 5.0, 90.0 if state is State.COPYING else None)


def _job(*partitions: PartProgress) -> JobProgress:
    return JobProgress(PartProgress("overall", State.COPYING, 0.2567, 1234, 56.78, 4321.09), partitions)


@pytest.fixture(autouse=True)
def _frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "_BARS_EVERY_S", 0.01)
    monkeypatch.setattr(shown, "_LINES_EVERY_S", 0.01)


async def test_a_pipe_gets_documents_and_the_last_word() -> None:
    """Each line is JSON; the last one is how it stood at the end. Before there is anything to tell there is none."""
    stream, asked = io.StringIO(), 0
    job: JobProgress | None = None

    def look() -> JobProgress | None:
        nonlocal asked
        asked += 1
        return job

    async with showing(look, stream):
        await eventually(lambda: asked > 2, "looks")
        assert stream.getvalue() == ""
        job = _job(_partition("0"), _partition("1", State.WAITING, 0.0))
        await eventually(lambda: stream.getvalue().count("\n") > 2, "lines")
        job = _job(_partition("0", State.DONE, 1.0))
    first, *_, last = map(json.loads, stream.getvalue().splitlines())
    assert first["event"] == "progress"
    assert first["time"]
    assert (first["share"], first["records_per_second"], first["remaining_s"]) == (0.2567, 56.8, 4321.1)
    assert [(each["name"], each["state"]) for each in first["partitions"]] == [("0", "copying"), ("1", "waiting")]
    assert last["states"] == {"waiting": 0, "copying": 0, "done": 1}


async def test_a_job_that_fails_at_once_still_says_how_far_it_was() -> None:
    """The failure passes through."""
    stream = io.StringIO()
    with pytest.raises(ValueError, match="broken"):
        async with showing(lambda: _job(_partition("0")), stream):
            raise ValueError("broken")
    assert json.loads(stream.getvalue().splitlines()[-1])["records"] == 1234


async def test_a_terminal_gets_bars_with_rate_and_remaining_time() -> None:
    """One for all, one a partition, and the cursor is given back."""
    stream = _Terminal()
    async with showing(lambda: _job(_partition("shard-7"), _partition("shard-8", State.WAITING, 0.0)), stream):
        await eventually(lambda: "shard-8" in stream.getvalue(), "bars")
    drawn = stream.getvalue()
    assert all(text in drawn for text in ("overall", "25 %", "57/s", "72m left", "50 %", "90s left", "waiting"))
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1


async def test_of_hundreds_of_partitions_the_slowest_are_shown() -> None:
    """The rest is counted."""
    stream = _Terminal()
    many = [_partition(f"slow-{number:03}") for number in range(300)]
    done = [_partition(f"done-{number:03}", State.DONE, 1.0) for number in range(100)]
    async with showing(lambda: _job(*many, *done), stream):
        await eventually(lambda: "400 partitions" in stream.getvalue(), "bars")
    assert "300 copying, 100 done" in stream.getvalue()
    assert "slow-000" in stream.getvalue()
    assert "slow-021" not in stream.getvalue()
    assert "done-0" not in stream.getvalue()


async def test_logs_stand_above_the_bars_and_below_nothing() -> None:
    """What wrote to the terminal before goes through the bars meanwhile, and to the terminal again afterwards."""
    stream, before = _Terminal(), sys.stderr
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        async with showing(lambda: _job(_partition("shard-7")), stream):
            await eventually(lambda: "shard-7" in stream.getvalue(), "bars")
            assert handler.stream is not stream
            await asyncio.to_thread(logging.getLogger("job").warning, "shard-9 is throttled")
        assert handler.stream is stream
    finally:
        logging.getLogger().removeHandler(handler)
    assert "shard-9 is throttled\n" in stream.getvalue()
    assert sys.stderr is before


async def test_cancelling_the_job_gives_the_terminal_back() -> None:
    """Also while something is being drawn."""
    stream = _Terminal()

    async def job() -> None:
        async with showing(lambda: _job(_partition("shard-7")), stream):
            await asyncio.Event().wait()

    task = asyncio.create_task(job())
    await eventually(lambda: "shard-7" in stream.getvalue(), "bars")
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h") == 1


async def test_a_terminal_that_is_gone_ends_no_job() -> None:
    """Nobody sees the progress any more, and the job goes on."""
    reached, tried = False, threading.Event()

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            tried.set()
            raise BrokenPipeError

    async with showing(lambda: _job(_partition("0")), Gone()):
        await eventually(tried.is_set, "something is shown")
        reached = True
    assert reached
