"""What of a source has been written into the stream, told by the origins in it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from itertools import chain
from random import Random

from connectors.base import Clock, Observer, TransientError
from connectors.codecs.decoding import Decoder
from connectors.kinesis.answers import Record
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.faults import MissingError, StaleIteratorError, ThrottledError
from connectors.kinesis.opening import OpenStream
from connectors.kinesis.position import After, Moment, Oldest, Point
from connectors.kinesis.reading.columns import arrival_ms, pieces
from connectors.kinesis.reading.pace import Pace
from connectors.kinesis.reading.tip import Tip
from connectors.provenance import Hop, last_origin, parse

_SHARDS_AT_ONCE = 32
_SKEW_MS = 5_000
"""Between the server's clock that writers went by and its arrival stamps, which some servers round to a second."""
_LIMIT = 5_000
_SAMPLE_S = 20.0
_SAMPLE_RECORDS = 200
_MOMENTS = 8


class ReadBack:
    """Reads what is there, all shards side by side, within each shard's limits."""

    def __init__(self, stream: OpenStream, clock: Clock, random: Random, observer: Observer) -> None:
        self._stream = stream
        self._clock = clock
        self._random = random
        self._observer = observer

    async def landed(self, source: str, since_ms: Mapping[str, int]) -> Mapping[str, Collection[str]]:
        """As ``Sink.landed``."""
        found: dict[str, set[str]] = {partition: set() for partition in since_ms}
        if not since_ms:
            return found
        start = Moment(max(0, min(since_ms.values()) - _SKEW_MS))

        async def read(shard: str) -> None:
            async with aclosing(self._pages(shard, start, _LIMIT)) as pages:
                async for records in pages:
                    for hop in self._hops(records, source):
                        if (identities := found.get(hop.partition)) is not None:
                            identities.add(hop.identity)

        await self._side_by_side(read)
        return found

    async def knows(self, source: str) -> bool:
        """As ``Sink.knows``: of each shard the oldest records are looked at, and some from all over the retention."""
        shown = self._stream.watch.summary
        now_ms = self._stream.api.server_now_ms()
        first_ms = max(shown.created_ms, now_ms - shown.retention_ms)
        moments = [Moment(first_ms + (now_ms - first_ms) * part // _MOMENTS) for part in range(1, _MOMENTS)]
        points: list[Point] = [Oldest(), *moments]
        seen = asyncio.Event()

        async def look(shard: str) -> None:
            pace = Pace(1.0, self._clock)
            for point in points:
                if seen.is_set():
                    return
                async with aclosing(self._pages(shard, point, _SAMPLE_RECORDS, pace)) as pages:
                    if any(True for _ in self._hops(await anext(pages), source)):
                        seen.set()

        with suppress(TimeoutError):
            async with asyncio.timeout(_SAMPLE_S):
                await self._side_by_side(look)
        return seen.is_set()

    async def _side_by_side(self, work: Callable[[str], Coroutine[None, None, None]]) -> None:
        """``work`` for each shard that has not expired. Raises the first error."""
        enough = asyncio.Semaphore(_SHARDS_AT_ONCE)

        async def bounded(shard: str) -> None:
            async with enough:
                await work(shard)

        try:
            async with asyncio.TaskGroup() as tasks:
                for shard in await self._stream.directory.fresh():
                    tasks.create_task(bounded(shard))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    def _hops(self, records: Sequence[Record], source: str) -> Iterator[Hop]:
        """How each of ``records`` that came here from ``source`` did so, but for those sent again on purpose."""
        here = self._stream.watch.summary.address
        every = chain.from_iterable(found.headers or () for found in pieces(records, Decoder()))
        for hop in map(_hop, map(last_origin, every)):
            if hop is not None and hop.source == source and hop.destination == here:
                yield hop

    async def _pages(
        self, shard: str, start: Point, limit: int, pace: Pace | None = None
    ) -> AsyncGenerator[Sequence[Record], None]:
        """The records from ``start`` to the shard's end or its tip of now, at least one page.

        Producers that never rest leave no empty read: what arrived later than now is as good as one.
        """
        api, point = self._stream.api, start
        until_ms = api.server_now_ms() + _SKEW_MS
        iterator: str | None = None
        tip = Tip(self._clock)
        backoff = Backoff(self._clock, self._random)
        pace = Pace(1.0, self._clock) if pace is None else pace
        while True:
            await pace.turn()
            pace.begin()
            try:
                if iterator is None:
                    iterator = await api.shard_iterator(shard, point)
                answer = await api.records(iterator, limit)
            except StaleIteratorError:
                iterator = None
                continue
            except MissingError:
                # It expired after it was listed, with all that it held.
                yield ()
                return
            except TransientError as error:
                await self._again(error, backoff)
                continue
            backoff.reset()
            records, iterator = answer.value.records, answer.value.next_shard_iterator
            pace.took(sum(len(record.data) for record in records))
            if records:
                tip.records()
                point = After(records[-1].sequence_number)
            at_tip = not records and tip.empty(answer.value.millis_behind_latest, answer.server_ms) is not None
            is_past = bool(records) and arrival_ms(records[-1]) > until_ms
            yield records
            if iterator is None or at_tip or is_past:
                return

    async def _again(self, error: TransientError, backoff: Backoff) -> None:
        operation = error.operation.partition(" ")[0]
        if isinstance(error, ThrottledError):
            self._observer.throttled(operation)
        else:
            self._observer.retried(operation, type(error).__name__)
        await backoff.wait()


def _hop(text: bytes | None) -> Hop | None:
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError:
        return None
