"""What was asked once and need not be asked again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Latest(dict[K, V]):
    """A dict of up to ``limit`` keys: ``remember`` forgets the one that came first where another would be too many."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def remember(self, key: K, value: V) -> None:
        if key not in self and len(self) >= self._limit:
            del self[next(iter(self))]
        self[key] = value


class Cache(Generic[K, V]):
    """Up to ``limit`` answers; beyond it those that came first are forgotten.

    Whoever asks for what another is asking already waits for that answer. A question that fails is asked again by the
    next.
    """

    def __init__(self, limit: int) -> None:
        self._answers = Latest[K, V](limit)
        self._asking: dict[K, asyncio.Lock] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """The answer of ``key``, by ``ask`` where it is not known. Raises what ``ask`` raises."""
        if key in self._answers:
            return self._answers[key]
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:
            if key in self._answers:
                return self._answers[key]
            try:
                answer = await ask()
            finally:
                # Those who wait have the lock; who comes later finds the answer, or asks for himself.
                self._asking.pop(key, None)
            self._answers.remember(key, answer)
            return answer

    def forget(self, key: K) -> None:
        self._answers.pop(key, None)
