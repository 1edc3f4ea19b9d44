"""Delays grow, are capped, and are spread."""

from random import Random

from bridge.engine.retry import Backoff


class _Highest(Random):
    def uniform(self, a: float, b: float) -> float:
        return b


def test_delays_double_up_to_the_ceiling_and_start_again_after_a_success() -> None:
    """Each delay is drawn below a bound that doubles; a reset makes it short again."""
    backoff = Backoff(_Highest(), first_s=1.0, ceiling_s=5.0)
    assert [backoff.next() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.next() == 1.0


def test_delays_are_spread_from_zero_on() -> None:
    """Full jitter: many lanes that fail together do not come back together."""
    delays = [Backoff(Random(seed), first_s=1.0).next() for seed in range(200)]
    assert min(delays) < 0.05
    assert max(delays) > 0.95
