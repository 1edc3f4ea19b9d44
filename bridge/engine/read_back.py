"""What former owners of lanes had written when they ended without saying so."""

from collections.abc import Collection, Mapping
from random import Random

import structlog

from bridge.engine.lane import Surroundings
from bridge.engine.retry import Backoff
from checkpoints.base import Checkpoint
from connectors.base import Position, RefusedError, TransientError

log = structlog.get_logger(__name__)

Landed = Mapping[str, Collection[Position]]
"""Positions of records that are in the sink, by partition."""


class ReadBack:
    """Looks into the sink before lanes begin that somebody else may have worked on: what is there is not sent again.

    Only where records carry their origin, and the sink can be searched by it.
    """

    def __init__(self, around: Surroundings, random: Random) -> None:
        self._around = around
        self._random = random

    async def look(self, checkpoints: Mapping[str, Checkpoint], unstored: Mapping[str, int]) -> Landed:
        """What has landed behind ``checkpoints``, however long it takes to find out.

        ``unstored`` are partitions without a checkpoint, with a time before which nothing of them was written. Without
        the permission to read the sink nothing is found, and the log says so.
        """
        since_ms = dict(unstored)
        since_ms |= {name: each.unsettled_ms for name, each in checkpoints.items() if each.unsettled_ms is not None}
        around = self._around
        if not since_ms or not around.policy.provenance or around.destination.now_ms() is None:
            return {}
        backoff = Backoff(self._random)
        while True:
            try:
                found = await around.destination.landed(around.source.address, since_ms)
            except RefusedError as error:
                log.error("cannot read back what had been written: some records may come twice", error=str(error))
                return {}
            except TransientError as error:
                log.warning("not read back yet, trying again", error=str(error))
                await around.clock.sleep(backoff.next())
            else:
                log.info("read back", partitions=len(since_ms), landed=sum(map(len, found.values())))
                return found
