"""Answers are kept, a bounded number of them, and each is asked for once at a time."""

import asyncio

import pytest

from connectors.base import TransientError
from connectors.schemas.cache import Cache, Latest


def test_what_came_first_is_forgotten_first() -> None:
    """A process that meets ever new schemas does not grow with them."""
    latest = Latest[int, str](3)
    for number in (1, 2, 3, 1, 4):
        latest.remember(number, str(number))
    assert list(latest) == [2, 3, 4]


async def test_question_that_fails_is_asked_again() -> None:
    """By the next who needs the answer; who waited meanwhile asks for himself."""
    cache, asked = Cache[str, int](10), 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        if asked == 1:
            raise TransientError("ask", "not now")
        return asked

    first, second = await asyncio.gather(cache.get("a", ask), cache.get("a", ask), return_exceptions=True)

    assert isinstance(first, TransientError)
    assert second == 2
    assert await cache.get("a", ask) == 2
    cache.forget("a")
    assert await cache.get("a", ask) == 3


async def test_answer_that_is_forgotten_at_once_is_given_all_the_same() -> None:
    """To all who waited for it, however few are kept."""
    cache = Cache[int, int](1)

    async def ask() -> int:
        await asyncio.sleep(0)
        return 7

    assert await asyncio.gather(*(cache.get(key % 3, ask) for key in range(9))) == [7] * 9


@pytest.mark.parametrize("waiting", [1, 5])
async def test_those_who_wait_share_one_answer(waiting: int) -> None:
    """However many lanes meet a schema at once."""
    cache, asked = Cache[str, int](10), 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return asked

    assert await asyncio.gather(*(cache.get("a", ask) for _ in range(waiting))) == [1] * waiting
