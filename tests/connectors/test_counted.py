"""Messages speak of one thing as of one."""

import pytest

from connectors.counted import counted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (counted(0, "record"), "0 records"),
        (counted(1, "record"), "1 record"),
        (counted(2, "more lane"), "2 more lanes"),
        (counted(12_000, "record", ","), "12,000 records"),
        (counted(1.2, "minute", ".0f"), "1 minute"),
        (counted(0.9, "hour", ".1f"), "0.9 hours"),
    ],
)
def test_one_thing_is_one(text: str, expected: str) -> None:
    """As the number is written: what is rounded to one is one."""
    assert text == expected
