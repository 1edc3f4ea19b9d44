"""The syntax of positions."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.kinesis.position import After, Moment, Oldest, Point, parse
from connectors.times import iso

_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""Of the years 1 to 9999."""


@pytest.mark.parametrize(
    ("text", "point"),
    [
        (None, Oldest()),
        ("trim_horizon", Oldest()),
        ("2026-01-01T00:00:00.000Z", Moment(1_767_225_600_000)),
        ("2026-01-01T01:00:00+01:00", Moment(1_767_225_600_000)),
        (
            "49680501049463025149715818546333587835952311896444502018",
            After("49680501049463025149715818546333587835952311896444502018"),
        ),
        ("123#0", After("123", 0)),
        ("123#45", After("123", 45)),
    ],
)
def test_a_position_means_what_its_text_says(text: str | None, point: Point) -> None:
    """Each form of a position is read as documented."""
    assert parse(text) == point


@pytest.mark.parametrize("text", ["", "latest", "12x", "#1", "12#", "12#x", "²", "2026-01-01T00:00:00", "-5", "1#-2"])
def test_other_text_is_refused(text: str) -> None:
    """Whatever is no position is refused, a time without a zone too."""
    with pytest.raises(ValueError, match="is no position"):
        parse(text)


@given(some.integers(_FIRST_MS, _LAST_MS))
def test_a_time_survives_being_written(ms: int) -> None:
    """A time written as text is the same to the millisecond when read."""
    assert parse(iso(ms)) == Moment(ms)


@given(some.integers(0, 10**129), some.none() | some.integers(0, 10**6))
def test_a_place_behind_a_record_survives_being_written(sequence: int, sub: int | None) -> None:
    """A sequence number with or without a place inside of the record reads back as it was."""
    point = After(str(sequence), sub)
    assert parse(str(point)) == point
