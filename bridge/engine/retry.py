"""Waiting between attempts: exponential, with full jitter."""

from random import Random


class Backoff:
    """Delays that double up to a ceiling, each drawn evenly from zero to it, so that many lanes do not return at once.

    Source: the "full jitter" of the AWS Architecture Blog's article on exponential backoff.
    """

    def __init__(self, random: Random, *, first_s: float = 0.2, ceiling_s: float = 30.0) -> None:
        self._random = random
        self._first_s = first_s
        self._ceiling_s = ceiling_s
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        bound = min(self._ceiling_s, self._first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return self._random.uniform(0.0, bound)

    def reset(self) -> None:
        """Something went well: the next delay is a short one again."""
        self._failures = 0
