"""What is compared of a side: what stands before recorded ends, and behind others."""

from bridge.jobs.span import Kind, Point, at
from bridge.migration.measures.ends import Ends
from bridge.parity.verification import OLDEST, Range


def range_of(ends: Ends, since: Ends | None) -> Range | None:
    """The range before ``ends`` and behind ``since``; from the oldest record where that is None. None: it is empty."""
    times = [end.time_ms for end in ends.values() if end.time_ms is not None]
    if times:
        begun = [end.time_ms for end in (since or {}).values() if end.time_ms is not None]
        return Range(at(min(begun) + 1) if begun else OLDEST, at(min(times)))
    last = {name: int(end.position) for name, end in ends.items() if end.position is not None}
    first = {name: int(end.position) + 1 for name, end in (since or {}).items() if end.position is not None}
    moved = {name: offset for name, offset in last.items() if offset >= first.get(name, 0)}
    if not moved:
        return None
    until = Point(Kind.POSITIONS, "what had come", positions={name: str(offset) for name, offset in moved.items()})
    if since is None:
        return Range(OLDEST, until)
    start = {name: str(first.get(name, 0)) for name in moved}
    return Range(Point(Kind.POSITIONS, "the barrier", positions=start), until)
