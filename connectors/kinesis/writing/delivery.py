"""Brings the entries of a call to their outcomes, whatever the server answers."""

from collections.abc import Callable
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
from connectors.kinesis.writing.submission import Landings
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


class Delivery:
    """Makes calls, again and again while nobody knows what became of one. For several at a time."""

    def __init__(self, means: Means, order: KeyOrder, is_broken: Callable[[], bool]) -> None:
        self._means = means
        self._order = order
        self._is_broken = is_broken

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

    async def _put(self, entries: list[Entry]) -> None:
        """One call, until it has an answer."""
        means = self._means
        backoff = Backoff(means.clock, means.random)
        is_repeated = False
        while True:
            if await means.vigil.assured():
                self._drop_what_was_taken_away(entries)
                if not entries:
                    return
            begun = means.clock.monotonic()
            try:
                answer = await means.api.put_records([entry.record for entry in entries])
            except ThrottledError:
                means.observer.throttled(_OPERATION)
                await backoff.wait()
            except TransientError as error:
                means.observer.retried(_OPERATION, type(error).__name__)
                # At once, the first time: what follows in these keys waits for it.
                if is_repeated:
                    await backoff.wait()
                is_repeated = True
            else:
                self._order.round_trip_s += (means.clock.monotonic() - begun - self._order.round_trip_s) / 8
                self._settle(entries, answer.value)
                return

    def _drop_what_was_taken_away(self, entries: list[Entry]) -> None:
        """Remove those of lanes that were lost while this process did not run: nobody will know if they landed."""
        kept = [] if self._is_broken() else [entry for entry in entries if not entry.lane.dropped]
        self._order.done([entry for entry in entries if entry not in kept])
        entries[:] = kept

    def _settle(self, entries: list[Entry], answer: PutRecordsAnswer) -> None:
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
