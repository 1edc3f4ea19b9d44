"""What of a mirror's document is new, field by field: a thousand lanes of which few move make a short message."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def changes(before: Json, now: Json) -> dict[str, object]:
    """The fields of ``now`` that ``before`` does not have so, at the top and in each lane; empty: none.

    ``lanes`` holds, for each lane of which something is new, its partition and what is; ``gone`` the partitions of
    those that are no more. Put over ``before`` they make ``now``, but for the order of the lanes.
    """
    found = {key: value for key, value in now.items() if key != "lanes" and before.get(key, _NOTHING) != value}
    old = {lane["partition"]: lane for lane in before["lanes"]}
    new = {lane["partition"]: lane for lane in now["lanes"]}
    if lanes := [change for partition, lane in new.items() if (change := _lane(old.get(partition, {}), lane))]:
        found["lanes"] = lanes
    if gone := [partition for partition in old if partition not in new]:
        found["gone"] = gone
    return found


_NOTHING = object()


def _lane(before: Json, now: Json) -> Json | None:
    if before == now:
        return None
    changed = {key: value for key, value in now.items() if before.get(key, _NOTHING) != value}
    return {"partition": now["partition"], **changed}
