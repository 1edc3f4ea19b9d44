from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.telemetry.changes import changes

FIELDS = st.dictionaries(st.sampled_from(["state", "lag_seconds", "error"]), st.none() | st.integers(0, 3))
LANES = st.dictionaries(st.sampled_from("abcd"), FIELDS)


def document(fields: dict[str, Any], lanes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {**fields, "lanes": [{"partition": name, **lane} for name, lane in lanes.items()]}


def put_over(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """As the page does it."""
    lanes = {lane["partition"]: lane for lane in before["lanes"]}
    for lane in found.get("lanes", ()):
        lanes[lane["partition"]] = {**lanes.get(lane["partition"], {}), **lane}
    for partition in found.get("gone", ()):
        del lanes[partition]
    fields = {key: value for key, value in found.items() if key not in ("lanes", "gone")}
    return {**before, **fields, "lanes": sorted(lanes.values(), key=lambda lane: str(lane["partition"]))}


@given(st.fixed_dictionaries({"state": st.integers(0, 3), "job": st.none() | st.integers(0, 3)}), LANES, LANES)
def test_what_was_before_and_what_is_new_make_what_is_now(
    fields: dict[str, Any], lanes: dict[str, dict[str, Any]], later: dict[str, dict[str, Any]]
) -> None:
    """Whatever moved, came or went, a reader of changes knows what a reader of documents knows."""
    later = {name: {**lanes.get(name, {}), **lane} for name, lane in later.items()}  # a lane's fields only come
    before, now = document({"state": 0, "job": None}, lanes), document(fields, later)
    expected = {**now, "lanes": sorted(now["lanes"], key=lambda lane: str(lane["partition"]))}
    assert put_over(before, changes(before, now)) == expected


@given(LANES)
def test_where_nothing_moved_nothing_is_told(lanes: dict[str, dict[str, Any]]) -> None:
    """Not even an empty list."""
    assert changes(document({"state": 1}, lanes), document({"state": 1}, lanes)) == {}


def test_of_a_lane_only_what_moved_is_told() -> None:
    """Of a thousand lanes whose lag moves the positions are not sent again."""
    before = document({}, {"a": {"lag_seconds": 1, "error": None}, "b": {"lag_seconds": 2, "error": None}})
    now = document({}, {"a": {"lag_seconds": 1, "error": None}, "b": {"lag_seconds": 3, "error": None}})
    assert changes(before, now) == {"lanes": [{"partition": "b", "lag_seconds": 3}]}
