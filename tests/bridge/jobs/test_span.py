"""What the ends of a range mean."""

from bridge.jobs.span import point


def test_a_time_is_the_millisecond_that_it_names() -> None:
    """A range that ends at a record's arrival has that record in it."""
    for rest in range(1_000):
        assert point("--until", [f"1970-01-01T00:00:01.{rest:03}Z"]).time_ms == 1_000 + rest


def test_a_part_stands_for_the_record_that_it_was_made_of() -> None:
    """What ``verify`` names can be sent again as it is printed."""
    assert point("--from", ["kafka:a:orders/3/17~2"]).positions == {"3": "17"}
