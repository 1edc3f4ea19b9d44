"""The frozen range of a job, as the checkpoints keep it: whether there is one, what is left, and how it is made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bridge.engine.identity import of_this_sink, of_this_source
from bridge.engine.lineage import inherited
from bridge.engine.status import LaneStatus
from bridge.errors import BridgeError, UsageError
from bridge.jobs.located import ends_at
from bridge.jobs.progress import Standing, Stretch
from bridge.jobs.span import Kind, Point, meant, positions_in
from checkpoints.base import Bound, Checkpoint
from connectors.base import End, Partition, Place, Sink, Source

Stored = Mapping[str, Checkpoint]
"""By partition."""


def job_of(stored: Stored) -> tuple[str, str] | None:
    """The range of the last job as it was asked for, from and until; None where there was none."""
    bounds = (checkpoint.bound for checkpoint in stored.values())
    return next(((bound.since, bound.until) for bound in bounds if bound is not None), None)


def is_done(stored: Stored, listing: Collection[Partition]) -> bool:
    """Whether nothing of the last job is left, by what is listed now."""
    bounded = [checkpoint for checkpoint in stored.values() if checkpoint.bound is not None]
    if not all(_is_read(checkpoint) for checkpoint in bounded):
        return False
    return not any(_is_left(partition, stored) for partition in listing if partition.id not in stored)


def check_source(stored: Stored, source: Source) -> None:
    """Raises ``BridgeError`` where the checkpoints are of another stream or topic of the same name."""
    for name, checkpoint in stored.items():
        if not of_this_source(checkpoint, source):
            raise BridgeError(
                f"go on in {name}",
                f"the source was recreated or changed: it was {checkpoint.source}, and is {source.identity}",
                "kmbridge checkpoints reset begins anew; kmbridge run with on_gap: continue accepts the loss",
            )


def check_sink(stored: Stored, sink: Sink) -> None:
    """Raises ``BridgeError`` where what the checkpoints tell is in another stream or topic."""
    for name, checkpoint in stored.items():
        if not of_this_sink(checkpoint, sink):
            raise BridgeError(
                f"go on in {name}",
                f"the sink was recreated or changed: it was {checkpoint.sink}, and is {sink.identity}",
                "kmbridge checkpoints reset copies all of it again; another --name begins another mirror",
            )


def check_whole(stored: Stored, listing: Collection[Partition]) -> None:
    """Raises ``BridgeError`` where a job was not stored whole: stores write many checkpoints in several transactions.

    Whatever is listed has its checkpoint from then on, and what comes later has parents.
    """
    known = stored.keys() | {partition.id for partition in listing}
    missing = [each.id for each in listing if each.id not in stored and known.isdisjoint(each.parents)]
    if missing and job_of(stored) is not None:
        raise BridgeError(
            "go on with the backfill",
            f"it was cut short while its range was stored: {', '.join(missing)} have none",
            "nothing was copied yet: kmbridge checkpoints reset, and begin again",
        )


def stretches(stored: Stored) -> Mapping[str, Stretch]:
    """What of each partition of the job is to be copied."""
    return {
        name: Stretch(Place(bound.begin), End(bound.end, bound.end_ms))
        for name, checkpoint in stored.items()
        if (bound := checkpoint.bound) is not None
    }


def standings(stored: Stored, lanes: Collection[LaneStatus]) -> Mapping[str, Standing]:
    """Where the partitions of the job stand: by their lanes, or as they were stored before there were any."""
    before = {
        name: Standing(_place(checkpoint), bound.records, has_begun=False, is_done=_is_read(checkpoint))
        for name, checkpoint in stored.items()
        if (bound := checkpoint.bound) is not None
    }
    return before | {lane.partition: Standing.of(lane, lane.bound.records) for lane in lanes if lane.bound is not None}


async def frozen(
    source: Source, listing: Sequence[Partition], stored: Stored, since: Point | None, until: Point, now_ms: int
) -> Stored:
    """The checkpoints of a job from ``since`` to ``until``: they say where it begins and ends, whatever comes later.

    ``since`` is None where the source starts by itself, or the mirror stands. All that is listed has one of them, so
    that a mirror which goes on later begins there too. Raises ``UsageError`` where there is no such range, and what
    the source raises.
    """
    fresh = [partition for partition in listing if partition.id not in stored]
    begun = {**stored, **await _begun(source, fresh, since, now_ms, is_new=not stored)}
    chosen = _chosen(_with_unlisted(listing, begun), begun, since, until)
    ends = await _ends(source, chosen, until)
    bounds = {name: _bound(source, begun[name], end, since, until) for name, end in ends.items()}
    return {name: replace(checkpoint, bound=bounds.get(name)) for name, checkpoint in begun.items()}


def _place(checkpoint: Checkpoint) -> Place:
    return Place(checkpoint.position, checkpoint.watermark_ms)


def _is_read(checkpoint: Checkpoint) -> bool:
    return checkpoint.finished or (checkpoint.bound is not None and checkpoint.bound.is_reached)


def _is_left(partition: Partition, stored: Stored) -> bool:
    """Whether ``partition``, which has not begun, follows from what the job has read to its end."""
    parents = [stored[parent] for parent in partition.parents if parent in stored]
    if not all(parent.finished for parent in parents):
        return False
    return inherited([parent.bound for parent in parents if parent.bound is not None]) is not None


async def _begun(
    source: Source, partitions: Sequence[Partition], since: Point | None, now_ms: int, *, is_new: bool
) -> Stored:
    """Where ``partitions``, which have no checkpoints, begin: those of a mirror that has begun came later."""
    places: Mapping[str, Place] = {partition.id: Place() for partition in partitions}
    if is_new:
        places = await source.start(partitions)
    if since is not None and since.kind is Kind.POSITIONS:
        named = positions_in("--from", since, places.keys())
        places = {**places, **{name: source.just_before(position) for name, position in named.items()}}
    return {
        name: Checkpoint(
            place.position, place.watermark_ms, finished=False, saved_ms=now_ms, source=source.identity, sink=""
        )
        for name, place in places.items()
    }


def _with_unlisted(listing: Sequence[Partition], begun: Stored) -> list[Partition]:
    """Partitions that have a checkpoint and have expired are not passed over in silence."""
    listed = {partition.id for partition in listing}
    return [*listing, *(Partition(name) for name in begun if name not in listed)]


def _chosen(partitions: Sequence[Partition], begun: Stored, since: Point | None, until: Point) -> Sequence[Partition]:
    """The partitions of the job: of those that are not finished all, or the ones that positions name.

    Raises ``UsageError`` where a named one cannot be copied before what precedes it.
    """
    unfinished = [partition for partition in partitions if not begun[partition.id].finished]
    names = {partition.id for partition in unfinished}
    chosen = meant(since, until, names)
    if chosen != names:
        before = names if until.kind is Kind.POSITIONS else names - chosen
        for partition in unfinished:
            if partition.id in chosen and (held := before.intersection(partition.parents)):
                raise UsageError(
                    f"copy {partition.id}",
                    f"it follows {', '.join(sorted(held))}, which must be copied whole before it",
                    "give a time instead of positions",
                )
    return [partition for partition in unfinished if partition.id in chosen]


async def _ends(source: Source, chosen: Sequence[Partition], until: Point) -> Mapping[str, End]:
    if until.kind is not Kind.POSITIONS:
        return await source.ends(chosen, until.time_ms)
    return await ends_at(source, positions_in("--until", until, [partition.id for partition in chosen]))


def _bound(source: Source, checkpoint: Checkpoint, end: End, since: Point | None, until: Point) -> Bound:
    """Raises ``UsageError`` where the end is a position that somebody named, and lies before the beginning."""
    begin, is_named = checkpoint.position, until.kind is Kind.POSITIONS
    if end.position is not None:
        last, first = source.rank(end.position), source.rank(begin)
        if since is not None and since.kind is Kind.POSITIONS and (last < first or (last == first and is_named)):
            raise UsageError(f"--until {until.text}", f"ends at {end.position}, before --from {since.text} begins")
        if is_named and last < first:
            raise UsageError(f"--until {until.text}", f"lies before {begin}, where it begins")
    return Bound("" if since is None else since.text, until.text, begin, end.position, end.time_ms)
