"""Which of the lanes' places are stored, and storing the others."""

from collections.abc import Mapping

import structlog

from bridge.engine.lane import Lane
from bridge.engine.policy import Policy
from bridge.engine.progress import Progress
from checkpoints.base import Checkpoint, CheckpointError, CheckpointStore
from connectors.base import Clock, Place, Sink, Source

log = structlog.get_logger(__name__)

_REMIND_S = 30.0


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
        self.trouble: CheckpointError | None = None
        """Why the last attempt to save failed; None when it did not."""

    async def begin(self, places: Mapping[str, Place]) -> Mapping[str, Checkpoint]:
        """Store where a new mirror starts. Raises ``CheckpointError``."""
        begun = {name: self._checkpoint(Progress(place)) for name, place in places.items()}
        await self._store.save(begun)
        return begun

    def has_moved(self) -> bool:
        """Whether there is something to store."""
        return bool(self._moved())

    async def keep(self) -> None:
        """Store what moved. A failure that may pass is shown and tried again with the next call; others are raised."""
        try:
            await self.store()
        except CheckpointError as error:
            if not error.retriable:
                raise
            self.trouble = error
            self._remind(error)
        else:
            self.trouble = self._reminded_s = None

    async def store(self) -> None:
        """Store what moved. Raises ``CheckpointError``."""
        moved = {lane.partition.id: self._checkpoint(lane.progress) for lane in self._moved()}
        if not moved:
            return
        await self._store.save(moved)
        for name, checkpoint in moved.items():
            self._lanes[name].progress.stored = checkpoint

    def _checkpoint(self, progress: Progress) -> Checkpoint:
        return progress.checkpoint(self._clock.now_ms(), self._source.identity, self._sink.identity)

    def _moved(self) -> list[Lane]:
        now_ms, idle_ms = self._clock.now_ms(), self._policy.idle_checkpoint_s * 1000
        return [lane for lane in self._lanes.values() if lane.progress.moved(now_ms, idle_ms)]

    def _remind(self, error: CheckpointError) -> None:
        now_s = self._clock.monotonic()
        if self._reminded_s is None or now_s - self._reminded_s >= _REMIND_S:
            self._reminded_s = now_s
            log.error("checkpoints not saved, trying again", error=str(error))
