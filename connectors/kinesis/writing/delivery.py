"""Brings the entries of a call to their outcomes, whatever the server answers."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from connectors.base import Clock, Observer, TransientError
from connectors.codecs.codec import Codec
from connectors.kinesis.answers import PutRecordsAnswer, PutResult
from connectors.kinesis.api import StreamApi
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.faults import InvalidError, ThrottledError
from connectors.kinesis.writing.entry import Call, Entry
from connectors.kinesis.writing.key_order import KeyOrder
from connectors.kinesis.writing.shard_map import ShardMap
from connectors.kinesis.writing.submission import Landings, Lane
from connectors.kinesis.writing.vigil import Vigil

_OPERATION = "PutRecords"
_THROTTLED = "ProvisionedThroughputExceededException"
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 10.0


@dataclass(frozen=True, slots=True)
class Means:
    """What writing into a stream takes, and what outlives a break."""

    api: StreamApi
    codec: Codec
    shards: ShardMap
    landings: Landings
    vigil: Vigil
    calls_in_flight: int
    clock: Clock
    random: Random
    observer: Observer
    tells_places: bool = False


class Delivery:
    """Makes calls, again and again while nobody knows what became of one. For several at a time.

    What was withdrawn is not written behind the back of its next owner: of what has no answer then, it stays open
    whether it was written.
    """

    def __init__(self, means: Means, order: KeyOrder, broken: asyncio.Event, dropped: Callable[[], None]) -> None:
        """``broken`` is set when nothing may be sent any more that is not on the wire. ``dropped`` is called when
        entries were dropped.
        """
        self._means = means
        self._order = order
        self._broken = broken
        self._dropped = dropped
        self.trouble: TransientError | None = None
        """Why the last call had no answer; None where it had one."""
        self._changed = asyncio.Event()
        """Set, and replaced, when there may be something to drop."""

    async def deliver(self, call: Call) -> None:
        """Each entry has its outcome, or is back in the order, to go out again. Raises ``RefusedError``.

        Where a call is refused for what is in it, its halves are tried. Where nothing of it is taken, it is no record's
        fault.
        """
        refused: list[tuple[Entry, InvalidError]] = []
        pending = [call.entries]
        while pending:
            entries = pending.pop()
            try:
                await self._put(entries)
            except InvalidError as error:
                if len(entries) > 1:
                    middle = len(entries) // 2
                    pending += [entries[middle:], entries[:middle]]
                else:
                    refused.append((entries[0], error))
        if 1 < len(refused) == len(call.entries):
            raise refused[0][1]
        for entry, refusal in refused:
            self._refused(entry, refusal)
        self._means.observer.compressed(call.before, call.size)

    def look_again(self) -> None:
        """Lanes were withdrawn, or the writer is broken: what waits to be repeated may not be needed any more."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _put(self, entries: list[Entry]) -> None:
        """One call, until it has an answer, or there is nothing left of it that may be sent."""
        means = self._means
        backoff = Backoff(means.clock, means.random)
        is_unheard = False
        gaps = means.vigil.gaps
        while True:
            await means.vigil.assured(self._broken)
            # What was lost while this process did not run is not even to be asked for: others have it.
            self._drop(entries, is_unheard=is_unheard and gaps == means.vigil.gaps)
            gaps = means.vigil.gaps
            if not entries:
                return
            begun = means.clock.monotonic()
            try:
                answer = await means.api.put_records([entry.record for entry in entries])
            except ThrottledError:
                means.observer.throttled(_OPERATION)
                await self._rest(entries, backoff.next_s())
            except TransientError as error:
                means.observer.retried(_OPERATION, type(error).__name__)
                self.trouble = error
                # At once, the first time: what follows in these keys waits for it.
                if is_unheard:
                    await self._rest(entries, backoff.next_s())
                is_unheard = True
            else:
                self.trouble = None
                self._order.round_trip_s += (means.clock.monotonic() - begun - self._order.round_trip_s) / 8
                self._settle(entries, answer.value)
                return

    async def _rest(self, entries: Sequence[Entry], seconds: float) -> None:
        """Wait, but not for longer than all of ``entries`` are to be repeated."""
        changed = self._changed
        left_s = min(entry.lane.repeat_until for entry in entries) - self._means.clock.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(seconds, left_s))):
                await changed.wait()

    def _drop(self, entries: list[Entry], *, is_unheard: bool) -> None:
        """Remove what is not to be sent any more. ``is_unheard``: some call of them may have written them."""
        now = self._means.clock.monotonic()
        lanes = {entry.submission.lane for entry in entries}
        ended = {lane for lane in lanes if self._is_over(lane, now, is_unheard=is_unheard)}
        if not ended:
            return
        over = [entry for entry in entries if entry.lane in ended]
        entries[:] = [entry for entry in entries if entry.lane not in ended]
        self._order.done(over)
        self._dropped()

    def _is_over(self, lane: Lane, now: float, *, is_unheard: bool) -> bool:
        is_broken = self._broken.is_set()
        if is_unheard:
            return lane.dropped and (is_broken or now >= lane.repeat_until)
        return lane.dropped or is_broken

    def _settle(self, entries: list[Entry], answer: PutRecordsAnswer) -> None:
        if self._means.tells_places:
            self._locate(entries, answer.records)
        if answer.failed_record_count != 0:
            entries = self._sorted_out(entries, answer.records)
        elif self._means.shards.is_limited:
            self._note(entries, answer.records)
        for entry in entries:
            entry.submission.land(entry.index)
            if entry.others:
                for submission, index in entry.following():
                    submission.land(index)
        self._order.done(entries)

    def _locate(self, entries: list[Entry], results: list[PutResult]) -> None:
        """Tell where the records of those are that were written."""
        packs = self._means.codec.packs
        for entry, result in zip(entries, results, strict=True):
            if result.error_code is None:
                place = f"{result.shard_id}/{result.sequence_number}"
                entry.submission.locate(entry.index, f"{place}#0" if packs else place)
                for sub, (submission, index) in enumerate(entry.following(), 1):
                    submission.locate(index, f"{place}#{sub}")

    def _sorted_out(self, entries: list[Entry], results: list[PutResult]) -> list[Entry]:
        """Those that were written. The others wait for another try."""
        written = [result.error_code is None for result in results]
        landed = [entry for entry, ok in zip(entries, written, strict=True) if ok]
        self._note(landed, [result for result in results if result.error_code is None])
        # The last one first, since each goes to the front of its shard.
        for entry, result in zip(reversed(entries), reversed(results), strict=True):
            if result.error_code is not None:
                self._failed(entry, result.error_code)
        return landed

    def _note(self, entries: list[Entry], results: list[PutResult]) -> None:
        """Learn about the shards from entries that were written."""
        for entry, result in zip(entries, results, strict=True):
            shard = self._order.shard_of(entry)
            shard.rate.accepted()
            if result.shard_id != shard.id:
                self._means.shards.is_stale = True

    def _failed(self, entry: Entry, code: str) -> None:
        means = self._means
        now = means.clock.monotonic()
        if code == _THROTTLED:
            means.observer.throttled(_OPERATION)
            self._order.shard_of(entry).rate.throttled(now)
            self._order.again(entry)
        else:
            means.observer.retried(_OPERATION, code)
            entry.failures += 1
            span = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** min(entry.failures, 16))
            self._order.delay(entry, now + means.random.uniform(span / 2, span))

    def _refused(self, entry: Entry, error: InvalidError) -> None:
        """The server does not take what is in ``entry``, which was alone in its call."""
        if entry.others:
            self._order.unpack(entry)
        else:
            entry.submission.reject(entry.index, "invalid_record", f"{error.operation}: {error.cause}")
            self._order.done([entry])
