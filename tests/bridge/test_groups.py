import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.groups import together


class Waiting:
    """Never done by itself."""

    def __init__(self) -> None:
        self.was_ended = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.was_ended = True


async def _fail() -> None:
    await asyncio.sleep(0)
    raise ValueError("gone")


async def _fail_in_a_group() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_fail())


async def _beside_a_failing_task(waiting: Waiting) -> None:
    async with together() as tasks:
        tasks.create_task(waiting.run())
        tasks.create_task(_fail_in_a_group())


async def _beside_a_failing_body(waiting: Waiting) -> None:
    async with together() as tasks:
        tasks.create_task(waiting.run())
        await _fail()


async def _in_time(waiting: Waiting) -> None:
    async with asyncio.timeout(0.01), together() as tasks:
        tasks.create_task(waiting.run())


@pytest.mark.parametrize("failing", [_beside_a_failing_task, _beside_a_failing_body])
async def test_the_first_failure_ends_the_other_tasks_and_is_raised_by_itself(
    failing: Callable[[Waiting], Awaitable[None]],
) -> None:
    """Also out of a group within the group, so that who calls can name what it expects."""
    waiting = Waiting()
    with pytest.raises(ValueError, match="gone"):
        await failing(waiting)
    assert waiting.was_ended


async def test_a_time_limit_around_the_tasks_ends_them() -> None:
    """That is no failure of theirs."""
    waiting = Waiting()
    with pytest.raises(TimeoutError):
        await _in_time(waiting)
    assert waiting.was_ended
