"""What waits to be written, a queue for each key: at most one entry of a key is out at any time."""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from heapq import heappop, heappush
from itertools import count

from connectors.base import Batch
from connectors.codecs.codec import Codec
from connectors.kinesis.answers import PutEntry
from connectors.kinesis.writing.entry import MAX_CALL, MAX_ENTRIES, Call, Entry, Key, State
from connectors.kinesis.writing.shard_map import OpenShard, ShardMap
from connectors.kinesis.writing.shard_rate import TICK_S
from connectors.kinesis.writing.submission import Submission

_LARGEST_PACK = 200_000
_LARGEST_CONTENT = 2 * 1024 * 1024
"""Bytes of records in a pack before compression, about: its readers must hold them all."""
_PACK_MARGIN = 1.2
_KEPT_KEYS = 20_000


class _Queue:
    """The keys of one shard whose next entry may go out."""

    __slots__ = ("listed", "ready", "shard")

    def __init__(self, shard: OpenShard) -> None:
        self.shard = shard
        self.ready: deque[Key] = deque()
        self.listed = False
        """Among those of which something may be ready."""


class KeyOrder:
    """Gives out entries of different keys, each key's records in the order in which they were added.

    Every record passes through here, so its loops do by hand what would read better in smaller pieces.
    """

    def __init__(self, codec: Codec, shards: ShardMap, moved: asyncio.Event) -> None:
        """``moved`` is set when something may have become ready."""
        self._codec = codec
        self._packs = codec.packs
        self._shards = shards
        self._moved = moved
        self._keys: dict[str, Key] = {}
        self._sweep_at = _KEPT_KEYS
        self._queues: list[_Queue] = []
        self._listed: deque[_Queue] = deque()
        self._delayed: list[tuple[float, int, Key]] = []
        self._numbers = count()
        self._version = -1
        self.round_trip_s = 0.0
        """How long a call takes. A key alone reaches its shard's rate with as much in an entry as flows meanwhile."""

    def add(self, submission: Submission, batch: Batch, skipped: Collection[int]) -> None:
        """The records of ``batch`` but those at the indexes ``skipped`` wait for their turn."""
        self._follow_map()
        keys, idle = self._keys, State.IDLE
        for index, name in enumerate(self._codec.partition_keys(batch)):
            if skipped and index in skipped:
                continue
            key = keys.get(name)
            if key is None:
                key = keys[name] = Key(name, self._shards.index(name))
            # Two items a record: a tuple of them would be one more object for the garbage collector to look at.
            key.waiting += (submission, index)
            if key.state is idle:
                self._make_ready(key)
        submission.lane.queued += submission.mean * (len(batch) - len(skipped))
        if len(keys) > self._sweep_at:
            self._sweep()
        self._moved.set()

    def take(self, now: float) -> Call:
        """Entries of different keys for one call, none where nothing may be sent now. The shards take turns.

        Each entry must come back by ``done``, ``again`` or ``delay``.
        """
        self._follow_map()
        self._end_delays(now)
        call = Call()
        for _ in range(len(self._listed)):
            queue = self._listed[0]
            is_full = not queue.shard.rate.wait_s(now) and self._fill(call, queue, now)
            if queue.ready:
                self._listed.rotate(-1)
            else:
                queue.listed = False
                self._listed.popleft()
            if is_full:
                break
        for lane in {entry.lane for entry in call.entries}:
            lane.drained.set()
        return call

    @property
    def ready(self) -> int:
        """Entries that may go out, if their shards' rates allow it."""
        return sum(len(queue.ready) for queue in self._listed)

    def wait_s(self, now: float) -> float | None:
        """How long to wait before there may be something to take; None: for a change."""
        waits = [queue.shard.rate.wait_s(now) for queue in self._listed]
        if self._delayed:
            waits.append(max(0.0, self._delayed[0][0] - now))
        return min(waits, default=None)

    def done(self, entries: Sequence[Entry]) -> None:
        """They have their outcomes: their keys' next records may follow."""
        queues, idle = self._queues, State.IDLE
        for entry in entries:
            key = entry.key
            if not key.waiting:
                key.state = idle
                continue
            key.state = State.READY
            queue = queues[key.shard]
            queue.ready.append(key)
            if not queue.listed:
                self._list(queue)

    def again(self, entry: Entry) -> None:
        """It must go out again, as soon as its shard takes more and before anything else of its key."""
        key = entry.key
        key.held, key.state = entry, State.READY
        queue = self._queues[key.shard]
        queue.ready.appendleft(key)
        self._list(queue)

    def delay(self, entry: Entry, until: float) -> None:
        """It must go out again at ``until``, by the clock of ``take``."""
        entry.key.held = entry
        heappush(self._delayed, (until, next(self._numbers), entry.key))

    def unpack(self, entry: Entry) -> None:
        """What is in it must go out one record at a time, before anything else of its key."""
        key = entry.key
        key.ahead = None
        records = [entry.submission, entry.index, *entry.others]
        key.alone += len(records) // 2
        key.waiting[:0] = records
        for submission in records[::2]:
            submission.lane.queued += submission.mean
        self._make_ready(key)

    def shard_of(self, entry: Entry) -> OpenShard:
        """The shard that it is taken to go to."""
        return self._queues[entry.key.shard].shard

    def drop(self) -> None:
        """Forget everything."""
        for key in self._keys.values():
            key.held = None
        self._keys.clear()
        self._delayed.clear()
        self._queues.clear()
        self._listed.clear()

    def _fill(self, call: Call, queue: _Queue, now: float) -> bool:
        """Add what is ready in ``queue`` as far as the shard's rate allows. Whether the call is full."""
        ready, entries, rate, out = queue.ready, call.entries, queue.shard.rate, State.OUT
        limited, pack = rate.limited, self._pack_size(queue.shard)
        while ready:
            key = ready.popleft()
            entry = self._next(key, pack, call)
            if entry is None:
                key.state = State.IDLE
                continue
            record = entry.record
            size = len(record.data) + len(record.partition_key)
            if entries and call.size + size > MAX_CALL:
                key.held = entry
                ready.appendleft(key)
                return True
            key.state = out
            entries.append(entry)
            call.size += size
            if len(entries) >= MAX_ENTRIES:
                return True
            if limited and not rate.spend(size, now):
                return False
        return False

    def _next(self, key: Key, pack: int, call: Call) -> Entry | None:
        """The entry that ``key`` sends next; None where all that waits was dropped."""
        held, key.held = key.held, None
        if held is not None and not held.lane.dropped:
            return held
        waiting = key.waiting
        while waiting:
            submission: Submission = waiting[0]
            ahead, key.ahead = key.ahead, None
            lane = submission.lane
            if lane.dropped:
                del waiting[:2]
                key.alone = max(0, key.alone - 1)
                continue
            index: int = waiting[1]
            part = submission.encode(index) if ahead is None else ahead
            if key.alone:
                key.alone -= 1
            elif self._packs and len(waiting) > 2:
                return self._packed(key, part, pack, call)
            del waiting[:2]
            lane.queued -= submission.mean
            call.before += submission.mean
            data = self._codec.entry(key.name, (part,)) if self._packs else part
            return Entry(key, PutEntry(data, key.name), submission, index)
        return None

    def _packed(self, key: Key, part: bytes, pack: int, call: Call) -> Entry:
        """An entry of the first record that waits, which is ``part``, and as many behind it of its lane as fit."""
        waiting = key.waiting
        first: Submission = waiting[0]
        lane, before = first.lane, first.mean
        parts, size, end = [part], len(part), 2
        while end < len(waiting) and size < pack:
            submission: Submission = waiting[end]
            if submission.lane is not lane or before + submission.mean > _LARGEST_CONTENT:
                break
            part = submission.encode(waiting[end + 1])
            size += len(part)
            if size > pack:
                key.ahead = part
                break
            parts.append(part)
            before += submission.mean
            end += 2
        index, others = waiting[1], waiting[2:end]
        del waiting[:end]
        lane.queued -= before
        call.before += before
        return Entry(key, PutEntry(self._codec.entry(key.name, parts), key.name), first, index, others)

    def _pack_size(self, shard: OpenShard) -> int:
        """Small enough not to come in bursts, large enough for a key alone to use all that its shard takes."""
        cycle_s = self.round_trip_s * _PACK_MARGIN + TICK_S
        return min(_LARGEST_PACK, int(shard.rate.bytes_per_s * cycle_s))

    def _make_ready(self, key: Key) -> None:
        key.state = State.READY
        queue = self._queues[key.shard]
        queue.ready.append(key)
        if not queue.listed:
            self._list(queue)

    def _list(self, queue: _Queue) -> None:
        if not queue.listed:
            queue.listed = True
            self._listed.append(queue)

    def _end_delays(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            self._make_ready(heappop(self._delayed)[2])

    def _follow_map(self) -> None:
        """Put the keys to the shards that they belong to now."""
        if self._version == self._shards.version:
            return
        self._version = self._shards.version
        self._queues = [_Queue(shard) for shard in self._shards.shards]
        self._listed.clear()
        for key in self._keys.values():
            key.shard = self._shards.index(key.name)
            if key.state is State.READY:
                self._make_ready(key)

    def _sweep(self) -> None:
        """Forget the keys of which nothing waits. They are kept for a while because most come again soon."""
        self._keys = {name: key for name, key in self._keys.items() if key.state is not State.IDLE}
        self._sweep_at = max(_KEPT_KEYS, 2 * len(self._keys))
