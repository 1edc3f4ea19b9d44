"""The byte budget: bounded, fair, and nothing of it is ever lost."""

import asyncio

from bridge.engine.budget import ByteBudget


async def _started(*coroutines: object) -> list["asyncio.Task[object]"]:
    tasks = [asyncio.ensure_future(each) for each in coroutines]  # type: ignore[call-overload]
    await asyncio.sleep(0)
    return tasks


async def test_grants_what_is_free_at_once() -> None:
    """Two reservations that fit do not wait for each other."""
    budget = ByteBudget(10)
    await budget.reserve(4)
    await budget.reserve(6)
    assert budget.used == 10


async def test_waits_for_what_is_not_free() -> None:
    """The next one is granted when enough was given back, not before."""
    budget = ByteBudget(10)
    first = await budget.reserve(8)
    (second,) = await _started(budget.reserve(5))
    first.resize(6)
    await asyncio.sleep(0)
    assert not second.done()
    first.resize(5)
    await second
    assert budget.used == 10


async def test_first_come_first_served() -> None:
    """A small reservation does not pass a large one that waits."""
    budget = ByteBudget(10)
    first = await budget.reserve(8)
    large, small = await _started(budget.reserve(9), budget.reserve(1))
    await asyncio.sleep(0)
    assert not small.done()
    first.release()
    await asyncio.gather(large, small)
    assert budget.used == 10


async def test_one_that_is_larger_than_everything_passes_alone() -> None:
    """It is cut to the whole budget instead of waiting for ever."""
    budget = ByteBudget(10)
    share = await budget.reserve(1_000)
    assert budget.used == 10
    share.resize(1_000)
    share.release()
    assert budget.used == 0


async def test_a_second_release_gives_nothing_back() -> None:
    """Releasing is idempotent, and a resize after it has no effect."""
    budget = ByteBudget(10)
    share = await budget.reserve(4)
    await budget.reserve(5)
    share.release()
    share.release()
    share.resize(7)
    assert budget.used == 5


async def test_cancelled_waiting_takes_nothing_and_lets_others_pass() -> None:
    """Whoever stops waiting, before or at the moment of being granted, leaves the budget as it was."""
    budget = ByteBudget(10)
    first = await budget.reserve(8)
    large, small = await _started(budget.reserve(9), budget.reserve(2))
    large.cancel()
    await asyncio.gather(large, return_exceptions=True)
    await small
    assert budget.used == 10
    (third,) = await _started(budget.reserve(5))
    first.release()
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)
    assert budget.used == 2


async def test_a_limit_that_shrinks_holds_for_what_comes() -> None:
    """What waits already and is larger than all there is now is granted alone, and not never."""
    budget = ByteBudget(10)
    first = await budget.reserve(10)
    (second,) = await _started(budget.reserve(9))
    budget.confine(5)
    first.resize(1)
    await asyncio.sleep(0)
    assert not second.done()
    first.release()
    await second
    assert budget.used == 9


async def test_a_share_can_grow_beyond_the_limit_and_others_wait_for_it() -> None:
    """What is made of a batch is held already: nobody waits to hold it, but whoever wants more does."""
    budget = ByteBudget(10)
    share = await budget.reserve(4)
    share.grow(20)
    (other,) = await _started(budget.reserve(1))
    await asyncio.sleep(0)
    assert (budget.used, other.done()) == (24, False)
    share.release()
    await other
    assert budget.used == 1
