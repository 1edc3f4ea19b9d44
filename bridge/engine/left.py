"""Lanes that nobody works on for the moment, as far as is known, as they are shown meanwhile."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bridge.engine.status import LaneState, LaneStatus

_TELLING = (LaneState.FAILED, LaneState.HELD, LaneState.PAUSED, LaneState.COMPLETE)
"""States that say more than that nobody is at work."""


def left_behind(lanes: Iterable[LaneStatus], cause: str) -> tuple[LaneStatus, ...]:
    """``lanes`` that were stopped because of ``cause``, as they stand until somebody works on them again.

    Finished ones are gone, as they are when a mirror starts anew.
    """
    return tuple(
        lane if lane.state in _TELLING else replace(lane, state=LaneState.RETRYING, records_per_second=0.0, error=cause)
        for lane in lanes
        if lane.state is not LaneState.FINISHED
    )


def by_now(left: Iterable[LaneStatus], now_ms: int) -> Iterator[LaneStatus]:
    """``left`` as they are at ``now_ms``: what nobody works on falls behind as time passes."""
    for lane in left:
        behind_ms = 0 if lane.watermark_ms is None else now_ms - lane.watermark_ms
        yield replace(lane, lag_ms=max(lane.lag_ms, behind_ms))
