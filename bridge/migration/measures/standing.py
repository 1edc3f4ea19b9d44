"""How a mirror stands: how far its checkpoints are, who works on it, and whether it has come to recorded ends."""

from dataclasses import dataclass

from bridge.engine.bounded import BoundedSource
from bridge.keeping.owners import holders
from bridge.migration.log import side_by_side
from bridge.migration.measures.ends import Ends, behind, ends_of, of_all
from bridge.migration.sides import Sides
from checkpoints.base import Checkpoint
from connectors.base import End, GapError, Partition, Place, Position


@dataclass(frozen=True, slots=True)
class LaneStanding:
    """One partition of the source. Times are milliseconds since the epoch."""

    partition: str
    position: Position | None
    """None before the first record, and where there is no checkpoint."""
    saved_ms: int | None
    """When the checkpoint was stored; None where there is none, or the store keeps no times."""
    is_finished: bool
    lag_ms: int | None
    """How far it is behind at most; None where the checkpoint does not tell."""
    lag_records: int | None
    """How many offsets it is behind, those without a record included; None in a stream."""
    worker: str | None
    """Who works on it, as far as an onlooker can tell."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A mirror's lanes, by partition."""

    lanes: tuple[LaneStanding, ...]

    @property
    def workers(self) -> tuple[str, ...]:
        """Who is alive. One that died is among them until its session is over."""
        return tuple(sorted({lane.worker for lane in self.lanes if lane.worker is not None}))

    @property
    def has_begun(self) -> bool:
        return any(lane.saved_ms is not None or lane.position is not None for lane in self.lanes)

    @property
    def saved_ms(self) -> int | None:
        """When it last stored anything. A mirror at work does so every half a minute, also where nothing happens."""
        return max((lane.saved_ms for lane in self.lanes if lane.saved_ms is not None), default=None)

    @property
    def lag_ms(self) -> int | None:
        """That of the lane which is furthest behind; None where one does not tell, or there is none."""
        lags = [lane.lag_ms for lane in self.lanes]
        return None if not lags or None in lags else max(each for each in lags if each is not None)


@dataclass(frozen=True, slots=True)
class Behind:
    """A partition in which the mirror has not come to a recorded end."""

    partition: str
    position: Position | None
    """Where its checkpoint stands."""
    end: End
    unread_ms: int | None
    """When the first record arrived that it has still to mirror, milliseconds since the epoch; None: nobody knows."""
    cause: str = ""
    """Why it cannot come there, for a person; empty where it only takes time."""

    def __str__(self) -> str:
        stands = "before its first record" if self.position is None else f"at {self.position}"
        return f"{self.partition}: {stands}{f', {self.cause}' if self.cause else ''}"


async def standing(sides: Sides) -> Standing:
    """As it is stored now; reads no record. Raises ``CheckpointError`` and what reaching the source raises."""
    ends = await ends_of(sides.source)
    checkpoints = await sides.checkpoints()
    # What has expired since it was finished is nobody's concern any more.
    names = sorted({*ends, *(name for name, each in checkpoints.items() if not each.finished)})
    workers = {name: str(each) for name, each in (await holders(sides.configuration, names, sides.clock)).items()}
    return Standing(
        tuple(_lane(sides, name, checkpoints.get(name), ends.get(name), workers.get(name)) for name in names)
    )


async def undrained(sides: Sides, ends: Ends) -> tuple[Behind, ...]:
    """The partitions in which the mirror has not come to ``ends``, or to those of their children; none: it is drained.

    What it leaves out counts as mirrored, once its checkpoint is past it. Where a checkpoint does not show by itself
    that nothing stands between it and the end, the first record there is looked for; that takes some seconds.

    Raises ``CheckpointError`` and what reading the source raises.
    """
    checkpoints = await sides.checkpoints()
    wanted = of_all(ends, await sides.source.listed())
    bounded = BoundedSource(sides.source.source)

    async def look(name: str) -> Behind | None:
        checkpoint, end = checkpoints.get(name), wanted[name]
        place = await _place(sides, name, checkpoint)
        if (checkpoint is not None and checkpoint.finished) or bounded.is_met(end, place):
            return None
        try:
            unread_ms = await sides.source.time_behind(name, place, end)
        except GapError as gap:
            return Behind(name, place.position, end, None, str(gap))
        return None if unread_ms is None else Behind(name, place.position, end, unread_ms)

    found = await side_by_side(look, sorted(wanted))
    return tuple(each for each in found if each is not None)


def _lane(sides: Sides, name: str, checkpoint: Checkpoint | None, end: End | None, worker: str | None) -> LaneStanding:
    if checkpoint is None:
        return LaneStanding(name, None, None, is_finished=False, lag_ms=None, lag_records=None, worker=worker)
    left = 0 if checkpoint.finished else _left(sides, checkpoint, end)
    lag_ms = 0 if left == 0 else _age_ms(checkpoint, sides.clock.now_ms())
    return LaneStanding(
        name, checkpoint.position, checkpoint.saved_ms or None, checkpoint.finished, lag_ms, left, worker
    )


def _left(sides: Sides, checkpoint: Checkpoint, end: End | None) -> int | None:
    """How many offsets there are from the checkpoint to the end; None where ends are no positions."""
    if end is None or end.position is None:
        return None
    rank = sides.source.source.rank
    (last,), (here,) = rank(end.position), rank(checkpoint.position)
    return max(0, last - here)


def _age_ms(checkpoint: Checkpoint, now_ms: int) -> int | None:
    return None if checkpoint.watermark_ms is None else max(0, now_ms - checkpoint.watermark_ms)


async def _place(sides: Sides, name: str, checkpoint: Checkpoint | None) -> Place:
    """Where the lane stands; without a checkpoint before all that is left."""
    if checkpoint is None:
        return await behind(sides.source, Partition(name), None)
    return Place(checkpoint.position, checkpoint.watermark_ms)
