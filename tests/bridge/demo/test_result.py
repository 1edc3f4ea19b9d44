import pytest

from bridge.demo.result import percentile


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)],
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    """Nothing is interpolated."""
    assert percentile(range(1, 101), share) == expected


def test_one_value_is_every_percentile_and_none_is_zero() -> None:
    """A demo of one record, and one in which nothing arrived, still end with a table."""
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) == 0.0
