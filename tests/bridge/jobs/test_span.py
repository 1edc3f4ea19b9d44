"""What the ends of a range mean."""

from bridge.jobs.span import point


def test_a_time_is_the_millisecond_that_it_names() -> None:
    """A range that ends at a record's arrival has that record in it."""
    for rest in range(1_000):
        assert point("--until", [f"2025-11-26T04:00:00.{rest:03}Z"]).time_ms == 1_764_129_600_000 + rest
