"""Jobs with an end copy exactly their range over many lives."""

import pytest

from tests.simulation.bounded_life import simulate

_SEEDS = 600
_PART = 100


@pytest.mark.parametrize("first", range(0, _SEEDS, _PART))
def test_a_job_copies_its_range_and_counts_it_once_whatever_fails(first: int) -> None:
    """The same report however often it crashed, nothing from behind the end, and a mirror goes on without a hole."""
    for seed in range(first, first + _PART):
        simulate(seed)
