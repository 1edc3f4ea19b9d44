"""Which of the lanes' places are stored, and storing the others."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import structlog

from bridge.engine.delivery import Delivery
from bridge.engine.lane import Lane
from bridge.engine.policy import Policy
from bridge.engine.progress import Progress
from checkpoints.base import Checkpoint, CheckpointError, CheckpointStore
from connectors.base import Clock, Place, Sink, Source, TransientError

log = structlog.get_logger(__name__)

_REMIND_S = 30.0


@dataclass(frozen=True, slots=True)
class _Saved:
    checkpoints: Mapping[str, Checkpoint]
    covered: Mapping[str, Place]


class Ledger:
    """Writes checkpoints of the lanes that moved, marked with the identities of both ends."""

    def __init__(
        self,
        store: CheckpointStore,
        source: Source,
        sink: Sink,
        lanes: Mapping[str, Lane],
        policy: Policy,
        clock: Clock,
    ) -> None:
        """``lanes`` is looked at anew at each call."""
        self._store = store
        self._source = source
        self._sink = sink
        self._lanes = lanes
        self._policy = policy
        self._clock = clock
        self._reminded_s: float | None = None
        self._unconfirmed = _Saved({}, {})
        self.trouble: CheckpointError | None = None
        """Why the last attempt to save failed; None when it did not."""

    async def begin(self, places: Mapping[str, Place], delivery: Delivery) -> Mapping[str, Checkpoint]:
        """Store where a new mirror starts, before anything is read. Raises ``CheckpointError``, ``ConnectorError``."""
        # Nobody has written anything: each lane says so before it does.
        untouched = {name: Progress(place, is_ended=True) for name, place in places.items()}
        begun = {name: self._checkpoint(progress, progress.place, "") for name, progress in untouched.items()}

        async def save(_: Mapping[str, Place]) -> None:
            await self._store.save(begun)

        await delivery.commit_apart(save)
        return begun

    async def announce(self, lanes: Collection[Lane], delivery: Delivery) -> None:
        """Store that ``lanes`` are about to write, before they do. Raises ``CheckpointError``, ``ConnectorError``."""
        opened = {lane.partition.id: self._of_lane(lane, lane.progress.place) for lane in lanes}

        async def save(_: Mapping[str, Place]) -> None:
            await self._store.save(opened)

        await delivery.commit_apart(save)
        for lane in lanes:
            lane.progress.stored = opened[lane.partition.id]

    def has_moved(self) -> bool:
        """Whether there is something to store."""
        return bool(self._moved())

    async def save(self, covered: Mapping[str, Place]) -> None:
        """Store what moved, the lanes in ``covered`` at the places there.

        Raises ``CheckpointError``, and ``TransientError`` where one of ``covered`` is no lane of ours any more: what
        it sent must not take effect without its checkpoint.
        """
        if strangers := sorted(covered.keys() - self._lanes.keys()):
            raise TransientError("save the checkpoints", f"{', '.join(strangers)} given up meanwhile")
        # What was saved last and is not confirmed may yet take effect: a lane that went back stands before it.
        pending = self._unconfirmed.covered.keys()
        moved = {lane.partition.id: lane.progress.place for lane in self._moved() if lane.partition.id not in pending}
        places = moved | dict(covered)
        saved = {name: self._of_lane(self._lanes[name], place) for name, place in places.items()}
        self._unconfirmed = _Saved({}, {})
        if saved:
            await self._store.save(saved)
            self._unconfirmed = _Saved(saved, covered)

    def confirm(self) -> None:
        """What was saved last took effect."""
        unconfirmed, self._unconfirmed = self._unconfirmed, _Saved({}, {})
        for name, checkpoint in unconfirmed.checkpoints.items():
            if name in self._lanes:
                self._lanes[name].progress.stored = checkpoint
        for name, place in unconfirmed.covered.items():
            if name in self._lanes:
                self._lanes[name].progress.confirm(place)
        if unconfirmed.checkpoints:
            stored = {name: Place(each.position, each.watermark_ms) for name, each in unconfirmed.checkpoints.items()}
            self._source.stored(stored)
        self.trouble = self._reminded_s = None

    def excuse(self, error: CheckpointError) -> None:
        """Show a failure that may pass, to be tried again with the next save. Raises the others."""
        if not error.retriable:
            raise error
        self.trouble = error
        now_s = self._clock.monotonic()
        if self._reminded_s is None or now_s - self._reminded_s >= _REMIND_S:
            self._reminded_s = now_s
            log.error("checkpoints not saved, trying again", error=str(error))

    def _of_lane(self, lane: Lane, place: Place) -> Checkpoint:
        return self._checkpoint(lane.progress, place, lane.sieve.window(place))

    def _checkpoint(self, progress: Progress, place: Place, window: str) -> Checkpoint:
        return Checkpoint(
            place.position,
            place.watermark_ms,
            progress.finished,
            self._clock.now_ms(),
            self._source.identity,
            self._sink.identity,
            progress.gaps,
            progress.unsettled_ms(self._sink.now_ms()),
            window,
            progress.bound_at(place),
            progress.paused_ms,
        )

    def _moved(self) -> list[Lane]:
        now_ms, idle_ms = self._clock.now_ms(), self._policy.idle_checkpoint_s * 1000
        ours = (lane for lane in self._lanes.values() if not lane.is_foreign)
        return [lane for lane in ours if lane.progress.moved(now_ms, idle_ms)]
