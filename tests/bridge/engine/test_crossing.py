"""What of one batch crosses to the sink, where records were dropped and split."""

from bridge.engine.crossing import Crossing, until
from connectors.base import Batch, Place, Rejected

READ = Batch("p", Place("13", 7), ["10", "11", "12", "13"], [b"k"] * 4, [b"v"] * 4, [1] * 4, skipped={"loop": 2})
MADE = Batch(
    "p",
    Place("13", 7),
    ["10", "10", "12", "12", "13"],
    [b"k"] * 5,
    [b"v"] * 5,
    [1] * 5,
    parts=[0, 1, 0, 1, 0],
    skipped={"loop": 2, "filter": 1},
)
"""The second is dropped, the first and the third are split."""


def test_a_part_that_is_refused_refuses_its_record() -> None:
    """Once, by its index as it was read, in the order of reading, and nothing of it is sent."""
    refused = (Rejected(2, "large", "x"), Rejected(3, "large", "y"), Rejected(4, "old", "z"))
    crossing = Crossing(READ, MADE, (Rejected(1, "unfit", "w"),)).refusing(refused)
    assert [(each.index, each.reason) for each in crossing.refused] == [(1, "unfit"), (2, "large"), (3, "old")]
    assert crossing.sent().positions == ["10", "10"]
    assert crossing.records == 6


def test_a_lane_stops_before_a_record_and_never_between_its_parts() -> None:
    """Its place is that of the record before, whether something was made of that or not."""
    before = Place("9", 5)
    for index, (place, sent) in enumerate(
        [("9", []), ("10", ["10", "10"]), ("11", ["10", "10"]), ("12", MADE.positions[:4])]
    ):
        cut = Crossing(READ, MADE).until(index, before)
        assert cut.made.positions == sent
        assert cut.made.place == cut.read.place == Place(place, 5)
        assert cut.read.positions == READ.positions[:index]
        assert not cut.made.is_last


def test_what_the_sink_refuses_later_cuts_before_the_first_part() -> None:
    """Also where it is the last part."""
    assert until(MADE, 3, Place("9", 5)).positions == ["10", "10"]
    assert until(MADE, 1, Place("9", 5)).place == Place("9", 5)
    assert until(MADE, 4, Place("9", 5)).place == Place("12", 5)


def test_where_nothing_is_transformed_indexes_are_the_same_on_both_sides() -> None:
    """And the very findings of the sink pass on."""
    refused = (Rejected(1, "large", "x"),)
    crossing = Crossing(READ, READ).refusing(refused)
    assert crossing.refused == refused
    assert crossing.sent().positions == ["10", "12", "13"]
    late = crossing.as_read(crossing.sent(), [Rejected(1, "old", "y")])
    assert [each.index for each in late] == [2]
