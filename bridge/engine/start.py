"""Where a new mirror starts: fixed once, for all workers, before anything is read."""

from collections.abc import Mapping

import structlog

from bridge.engine.ledger import Ledger
from bridge.engine.policy import OnGap
from bridge.engine.surroundings import Surroundings
from checkpoints.base import Checkpoint, CheckpointStore
from connectors.base import GapError, Partition, RefusedError, Sink, Source

log = structlog.get_logger(__name__)


class Start:
    """Used by the owner of the first slot, while there are no checkpoints."""

    def __init__(self, store: CheckpointStore, ledger: Ledger, around: Surroundings) -> None:
        self._store = store
        self._ledger = ledger
        self._around = around

    async def begin(self, listing: tuple[Partition, ...], *, anew: bool) -> Mapping[str, Checkpoint]:
        """The checkpoints of a mirror that has some, else those with which it begins, stored.

        ``anew``: this worker has seen checkpoints before. Raises ``CheckpointError``, ``TransientError``, and
        ``GapError`` where there were checkpoints that are gone.
        """
        found = await self._store.load()
        if found:
            return found
        source, sink = self._around.source, self._around.destination
        if anew or (await self._store.forgets() and await is_known(source, sink)):
            self._pass(gone("begin the mirror", source, sink))
        log.info("no checkpoints yet: the mirror begins at its start", partitions=len(listing))
        places = await self._around.source.start(listing)
        return await self._ledger.begin(places, self._around.delivery)

    def _pass(self, gap: GapError) -> None:
        self._around.totals.gaps += 1
        if self._around.policy.on_gap is OnGap.STOP:
            raise gap
        log.error("beginning anew behind a gap", cause=gap.cause)


async def is_known(source: Source, sink: Sink) -> bool:
    """Whether ``sink`` holds records of ``source``; not as far as it may not be read."""
    try:
        return await sink.knows(source.address)
    except RefusedError as error:
        log.error("cannot look for records of an earlier life of this mirror in the sink", error=str(error))
        return False


def gone(operation: str, source: Source, sink: Sink) -> GapError:
    """A store that forgets, and a sink or a worker that remembers: that is no new mirror."""
    return GapError(
        operation,
        f"its checkpoints are gone, yet it has mirrored {source.address} to {sink.address} before: a group's offsets "
        "expire, and go with their topic when that is deleted",
        "kmbridge checkpoints set says where it stands; checkpoints reset, or on_gap: continue, begin at its start",
        lost_from="where it stood",
        lost_to="its start",
        resume=None,
    )
