"""What comes before a lane's first write, where a sink cannot undo what its writers leave behind."""

from collections.abc import Collection
from random import Random

import structlog

from bridge.engine.lane import Lane
from bridge.engine.ledger import Ledger
from bridge.engine.retry import Backoff
from bridge.engine.sieve import Landed
from bridge.engine.surroundings import Surroundings
from checkpoints.base import CheckpointError
from connectors.base import RefusedError, TransientError

log = structlog.get_logger(__name__)


class Opening:
    """Learns what former owners had written and not stored, and stores that there is a new one.

    Both together make each record come once: nobody writes before it is stored that somebody may have written.
    """

    def __init__(self, ledger: Ledger, around: Surroundings, random: Random) -> None:
        self._ledger = ledger
        self._around = around
        self._random = random

    @property
    def is_needed(self) -> bool:
        """Only where records carry their origin, and the sink can be searched by it."""
        return self._around.policy.provenance and self._around.destination.now_ms() is not None

    async def open(self, lanes: Collection[Lane]) -> None:
        """However long that takes. Raises ``CheckpointError`` where storing it is of no use, and ``ConnectorError``."""
        unsettled = {lane.partition.id: lane for lane in lanes if lane.unsettled_ms is not None}
        if unsettled:
            landed = await self._read_back(unsettled.values())
            for name, lane in unsettled.items():
                # One that is opened again may know already what it is not allowed to look for now.
                lane.inherit(landed.get(name, lane.sieve.landed))
        await self._announce(lanes)

    async def _announce(self, lanes: Collection[Lane]) -> None:
        backoff = Backoff(self._random)
        while True:
            try:
                await self._ledger.announce(lanes, self._around.delivery)
            except (CheckpointError, TransientError) as error:
                if not error.retriable:
                    raise
                log.warning("not stored that lanes begin, trying again", lanes=len(lanes), error=str(error))
                await self._around.clock.sleep(backoff.next())
            else:
                return

    async def _read_back(self, lanes: Collection[Lane]) -> dict[str, Landed]:
        """What is there of ``lanes``. Nothing without the permission to look, and the log says so."""
        since_ms = {lane.partition.id: lane.unsettled_ms for lane in lanes if lane.unsettled_ms is not None}
        around, backoff = self._around, Backoff(self._random)
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
                return {name: Landed(since_ms[name], identities) for name, identities in found.items() if identities}
