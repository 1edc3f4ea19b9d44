"""The shards of a stream, their parents, and word of every change."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from random import Random

from connectors.base import Clock, Observer, Partition, RefusedError, TransientError
from connectors.kinesis.answers import ShardAnswer
from connectors.kinesis.api import StreamApi
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.faults import ThrottledError

_LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard that has not expired. ``closed``: split or merged, it takes no more records."""

    id: str
    parents: tuple[str, ...]
    first_hash: int
    last_hash: int
    closed: bool

    @classmethod
    def of(cls, shown: ShardAnswer) -> "Shard":
        parents = (shown.parent_shard_id, shown.adjacent_parent_shard_id)
        return cls(
            shown.shard_id,
            tuple(parent for parent in parents if parent),
            int(shown.hash_key_range.starting_hash_key),
            int(shown.hash_key_range.ending_hash_key),
            shown.sequence_number_range.ending_sequence_number is not None,
        )


Listing = Mapping[str, Shard]


class ShardDirectory:
    """Lists the shards every five seconds, and at once when a reader learns of a change."""

    def __init__(self, api: StreamApi, clock: Clock, random: Random, observer: Observer) -> None:
        self._api = api
        self._clock = clock
        self._observer = observer
        self._backoff = Backoff(clock, random)
        self._listing: Listing = {}
        self._begun = self._done = 0
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()

    @property
    def listing(self) -> Listing:
        """The last one, empty before the first."""
        return self._listing

    async def get(self, shard: str) -> Shard | None:
        """One shard as last listed, or as listed now if it was not. None: it does not exist or has expired."""
        return self._listing.get(shard) or (await self.fresh()).get(shard)

    async def fresh(self) -> Listing:
        """A listing begun after this call; those who ask meanwhile share one. Raises what the call raises."""
        asked = self._begun
        async with self._lock:
            if self._done <= asked:
                self._begun += 1
                self._listing = {each.shard_id: Shard.of(each) for each in await self._api.list_shards()}
                self._done = self._begun
            return self._listing

    async def has_ended(self, shard: str) -> bool:
        """Whether a listing of now confirms that ``shard`` takes no more records: it is closed, or has children."""
        listing = await self.fresh()
        self._changed.set()
        listed = listing.get(shard)
        return (listed is not None and listed.closed) or any(shard in each.parents for each in listing.values())

    def changed(self) -> None:
        """Someone saw a change: ``partitions`` lists at once."""
        self._changed.set()

    async def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        """All shards, and all of them again whenever that changes.

        Raises ``RefusedError`` when the first listing is refused. Later, when lanes are running and show what is
        wrong themselves, it goes on asking.
        """
        known: tuple[Partition, ...] | None = None
        while True:
            self._changed.clear()
            listing = await self._listed(retry_refusal=known is not None)
            shards = tuple(Partition(shard.id, shard.parents) for shard in listing.values())
            if shards != known:
                known = shards
                yield shards
            await self._pause()

    async def _listed(self, *, retry_refusal: bool) -> Listing:
        while True:
            try:
                listing = await self.fresh()
            except ThrottledError:
                self._observer.throttled("ListShards")
            except TransientError as error:
                self._observer.retried("ListShards", type(error).__name__)
            except RefusedError as error:
                if not retry_refusal:
                    raise
                self._observer.retried("ListShards", type(error).__name__)
            else:
                self._backoff.reset()
                return listing
            await self._backoff.wait()

    async def _pause(self) -> None:
        """Until the next look is due or someone saw a change."""
        waits = [asyncio.ensure_future(self._clock.sleep(_LOOK_S)), asyncio.ensure_future(self._changed.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
