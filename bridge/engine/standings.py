"""Where the partitions of a mirror stand, as far as this worker knows."""

from collections.abc import Collection, Iterable, Mapping

from bridge.engine.identity import of_this_source
from bridge.engine.lane import Lane
from bridge.engine.lineage import beginning, inherited
from bridge.engine.status import LaneState
from checkpoints.base import Bound, Checkpoint, CheckpointStore
from connectors.base import Partition, Place, Source


class Standings:
    """What is listed, what is stored, what is owned here, and the lanes: the questions that these answer together."""

    def __init__(self, store: CheckpointStore, source: Source, lanes: Mapping[str, Lane], *, bounded: bool) -> None:
        """``lanes`` is looked at anew at each call. ``bounded``: what has no bound needs no lane."""
        self._bounded = bounded
        self._store = store
        self._source = source
        self._lanes = lanes
        self.slots: set[int] = set()
        """Owned here."""
        self.listing: tuple[Partition, ...] | None = None
        """All there is; None before it is known."""
        self.checkpoints: dict[str, Checkpoint] = {}
        """The last known ones of all partitions; of those here, as they were when taken."""
        self.had_begun = False
        """Whether this worker has seen checkpoints before it read them last."""
        self.expired: set[str] = set()
        """Those that have a checkpoint, and were not listed when they were looked for."""

    @property
    def has_begun(self) -> bool:
        """Whether the mirror has checkpoints at all: then what has none appeared later."""
        return bool(self.checkpoints)

    def owns(self, name: str) -> bool:
        return self._store.slot_of(name) in self.slots

    def replace(self, slots: Collection[int], found: Mapping[str, Checkpoint]) -> None:
        """``found`` is all that is stored in ``slots``."""
        self.had_begun |= self.has_begun
        kept = {name: each for name, each in self.checkpoints.items() if self._store.slot_of(name) not in slots}
        self.checkpoints = kept | dict(found)

    def hear_of_others(self, seen: Mapping[str, Checkpoint]) -> None:
        """``seen`` is stored; of what is owned here the lanes know better."""
        self.checkpoints.update({name: each for name, each in seen.items() if not self.owns(name)})

    def lanes_in(self, slots: Collection[int]) -> list[str]:
        return [name for name in self._lanes if self._store.slot_of(name) in slots]

    def partitions(self) -> Iterable[Partition]:
        """All that is listed, and what has a checkpoint without being listed any more."""
        listing = self.listing or ()
        listed = {partition.id for partition in listing}
        return (*listing, *(Partition(name) for name in self.checkpoints if name not in listed))

    def without_lane(self) -> list[Partition]:
        """The partitions here that have no lane and need one."""
        left_out = self.unlisted() | self._lanes.keys()
        ours = (each for each in self.partitions() if self.owns(each.id) and each.id not in left_out)
        if self._bounded:
            ours = (each for each in ours if self.bound(each) is not None)
        return [partition for partition in ours if not self._is_read(partition.id)]

    def left(self) -> list[Partition]:
        """The partitions that have a bound which is not copied yet."""
        return [each for each in self.partitions() if self.bound(each) is not None and not self._is_read(each.id)]

    def bound(self, partition: Partition) -> Bound | None:
        """The bound of ``partition``; of one that has begun nowhere, what it inherits. None: there is none."""
        if partition.id in self._lanes or partition.id in self.checkpoints:
            return self._own_bound(partition.id)
        return self.inherited(partition)

    def inherited(self, partition: Partition) -> Bound | None:
        """What becomes of the parents' bounds in ``partition``, once these are finished."""
        if any(not self.is_finished(parent) for parent in partition.parents if self._is_known(parent)):
            return None
        bounds = [self._own_bound(parent) for parent in partition.parents]
        return inherited([bound for bound in bounds if bound is not None])

    def _is_read(self, name: str) -> bool:
        bound = self._own_bound(name) if self._bounded else None
        return self.is_finished(name) or (bound is not None and bound.is_reached)

    def unlisted(self) -> set[str]:
        """Partitions here that have a checkpoint, and are not listed as far as is known.

        Whoever stored that may have seen the partition first: it has parents, and must not start before they end.
        """
        listed = {partition.id for partition in self.listing or ()}
        unlisted = self.checkpoints.keys() - listed - self.expired
        return {name for name in unlisted if self.owns(name) and not self.is_finished(name)}

    def is_finished(self, name: str) -> bool:
        if name in self._lanes:
            return self._lanes[name].state is LaneState.FINISHED
        checkpoint = self.checkpoints.get(name)
        return checkpoint is not None and checkpoint.finished and of_this_source(checkpoint, self._source)

    def unfinished(self) -> set[str]:
        """Those that have more to read: their children wait. Behind the end of a bound nothing is read."""
        return {partition.id for partition in self.partitions() if not self._is_read(partition.id)}

    @property
    def share(self) -> float:
        """How much of what is left to read is here: of all partitions that are not known to be finished.

        What ended elsewhere may not be known yet, so that the shares of all workers are never more than the whole. 1
        where nothing is here.
        """
        unfinished = self.unfinished()
        here = sum(self.owns(name) for name in unfinished)
        return here / len(unfinished) if here else 1.0

    def held_up_elsewhere(self, waiting: Iterable[Partition]) -> set[str]:
        """Those of ``waiting`` that have a parent with another worker."""
        parents = {partition.id: partition.parents for partition in waiting}
        if not parents:
            return set()
        elsewhere = {name for name in self.unfinished() if not self.owns(name)}
        return {name for name, each in parents.items() if not elsewhere.isdisjoint(each)}

    def beginning(self, partition: Partition) -> Place:
        """Where a partition without a checkpoint begins, once its parents are finished."""
        places = {name: _place(each) for name, each in self.checkpoints.items() if self._tells_of(name)}
        places |= {name: lane.progress.place for name, lane in self._lanes.items()}
        return beginning(partition, places)

    def windows(self, partition: Partition) -> list[str]:
        """The windows with which a lane begins: its own, or those of its parents where these stand now."""
        if partition.id in self.checkpoints:
            return [self.checkpoints[partition.id].window]
        return [self._window(parent) for parent in partition.parents]

    def _own_bound(self, name: str) -> Bound | None:
        if name in self._lanes:
            return self._lanes[name].progress.bound
        checkpoint = self.checkpoints.get(name)
        is_ours = checkpoint is not None and of_this_source(checkpoint, self._source)
        return checkpoint.bound if checkpoint is not None and is_ours else None

    def _is_known(self, name: str) -> bool:
        return name in self.checkpoints or any(each.id == name for each in self.listing or ())

    def _window(self, name: str) -> str:
        if name in self._lanes:
            lane = self._lanes[name]
            return lane.sieve.window(lane.progress.place)
        return self.checkpoints[name].window if name in self.checkpoints else ""

    def _tells_of(self, name: str) -> bool:
        """Whether a checkpoint is not older than what this worker knows itself."""
        return not self.owns(name) or self.is_finished(name)


def _place(checkpoint: Checkpoint) -> Place:
    return Place(checkpoint.position, checkpoint.watermark_ms)
