"""A run ends when it is told to, and leaves no trace of that in the task that called it."""

import asyncio

import pytest

from bridge.assembly import Halt


async def _opening(halt: Halt, drained: list[str]) -> None:
    with halt.heeded():
        await asyncio.Event().wait()
        drained.append("went on")


async def test_a_halt_ends_the_opening_and_the_caller_goes_on() -> None:
    """Its task counts as not cancelled, so that time-outs and task groups around it work as ever."""
    drained: list[str] = []
    halt = Halt(lambda: drained.append("drained"))

    async def call() -> int:
        await _opening(halt, drained)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    running = asyncio.create_task(call())
    await asyncio.sleep(0)
    assert halt.ask()
    assert await running == 0
    assert drained == []


async def test_a_cancellation_by_others_is_not_taken_for_the_halt() -> None:
    """Before it, and beside it."""
    for is_asked in (False, True):
        halt = Halt(lambda: None)
        running = asyncio.create_task(_opening(halt, []))
        await asyncio.sleep(0)
        if is_asked:
            halt.ask()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_once_under_way_a_halt_drains_and_a_second_one_does_nothing() -> None:
    """The run itself decides when it ends."""
    drained: list[str] = []
    halt = Halt(lambda: drained.append("drained"))
    with halt.heeded():
        halt.under_way()
        assert (halt.ask(), halt.ask()) == (True, False)
    assert drained == ["drained"]
