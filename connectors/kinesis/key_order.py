"""What waits to be written, a queue for each key: at most one entry of a key is out at any time."""

import asyncio
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count

from connectors.base import Batch
from connectors.codecs.codec import Codec
from connectors.kinesis.answers import PutEntry
from connectors.kinesis.shard_map import OpenShard, ShardMap
from connectors.kinesis.submission import Lane, Submission

MAX_ENTRIES = 500
"""Of one PutRecords."""
MAX_CALL = 2 * 1024 * 1024
"""Bytes of data and keys after which no entry is added. AWS allows 10 MiB; several calls are under way at once."""

_MAX_PACK = 200_000
_MIN_PACK = 64_000
_KEPT_KEYS = 20_000

Part = tuple[Submission, int]


class Key:
    """The queue of one partition key."""

    __slots__ = ("ahead", "held", "idle", "name", "out", "shard", "waiting")

    def __init__(self, name: str, shard: int) -> None:
        self.name = name
        self.shard = shard
        self.waiting: deque[Part] = deque()
        self.ahead: bytes | None = None
        """The first one that waits, encoded."""
        self.held: Entry | None = None
        """What was out and must go out again before anything else."""
        self.out = False
        """An entry is out, or held for a while."""
        self.idle = True
        """Neither out nor among the ready ones."""


class Entry:
    """The data of one Kinesis record and the records in it, all of one key and one lane."""

    __slots__ = ("failures", "key", "lane", "parts", "record", "size")

    def __init__(self, key: Key, data: bytes, parts: list[Part]) -> None:
        self.key = key
        self.record = PutEntry(data, key.name)
        self.parts = parts
        self.lane: Lane = parts[0][0].lane
        self.size = len(data) + len(key.name)
        self.failures = 0
        """In a row, of the server's own."""


class _Queue:
    """The keys of one shard whose next entry may go out."""

    __slots__ = ("listed", "ready", "shard")

    def __init__(self, shard: OpenShard) -> None:
        self.shard = shard
        self.ready: deque[Key] = deque()
        self.listed = False
        """Among those of which something may be ready."""


class KeyOrder:
    """Gives out entries of different keys, each key's records in the order in which they were added."""

    def __init__(self, codec: Codec, shards: ShardMap, moved: asyncio.Event) -> None:
        """``moved`` is set when something may have become ready."""
        self._codec = codec
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

    def add(self, submission: Submission, batch: Batch, skipped: Sequence[int]) -> None:
        """The records of ``batch`` but those at the indexes ``skipped`` wait for their turn."""
        self._follow_map()
        keys = self._keys
        left_out = set(skipped)
        for index, name in enumerate(self._codec.partition_keys(batch)):
            if left_out and index in left_out:
                continue
            key = keys.get(name)
            if key is None:
                key = keys[name] = Key(name, self._shards.index(name))
            key.waiting.append((submission, index))
            if key.idle:
                key.idle = False
                self._make_ready(key)
        submission.lane.queued += submission.mean * (len(batch) - len(left_out))
        if len(keys) > self._sweep_at:
            self._sweep()
        self._moved.set()

    def take(self, now: float) -> tuple[list[Entry], float | None]:
        """Entries of different keys for one call; where there are none, how long to wait at most. None: for a change.

        The shards take turns. Each entry must come back by ``done``, ``again`` or ``delay``.
        """
        self._follow_map()
        self._end_delays(now)
        entries: list[Entry] = []
        size = 0
        for _ in range(len(self._listed)):
            queue = self._listed[0]
            if not queue.shard.rate.wait_s(now):
                size = self._fill(entries, size, queue, now)
            if queue.ready:
                self._listed.rotate(-1)
            else:
                queue.listed = False
                self._listed.popleft()
            if len(entries) >= MAX_ENTRIES or size >= MAX_CALL:
                break
        return entries, None if entries else self._wait_s(now)

    def done(self, entry: Entry) -> None:
        """It has its outcome: the key's next records may follow."""
        entry.lane.on_wire -= 1
        key = entry.key
        if key.waiting:
            key.out = False
            self._make_ready(key)
        else:
            key.idle, key.out = True, False

    def again(self, entry: Entry) -> None:
        """It must go out again, as soon as its shard takes more."""
        entry.lane.on_wire -= 1
        key = entry.key
        key.held, key.out = entry, False
        queue = self._queues[key.shard]
        queue.ready.appendleft(key)
        self._list(queue)

    def delay(self, entry: Entry, until: float) -> None:
        """It must go out again at ``until``, by the clock of ``take``."""
        entry.lane.on_wire -= 1
        entry.key.held = entry
        heappush(self._delayed, (until, next(self._numbers), entry.key))

    def _fill(self, entries: list[Entry], size: int, queue: _Queue, now: float) -> int:
        """Add what is ready in ``queue`` to ``entries``, which have ``size`` bytes, as far as its rate allows."""
        ready, spend = queue.ready, queue.shard.rate.spend
        pack = self._pack_size(queue.shard)
        while ready and len(entries) < MAX_ENTRIES:
            key = ready.popleft()
            entry = self._next(key, pack)
            if entry is None:
                key.idle = True
                continue
            if entries and size + entry.size > MAX_CALL:
                key.held = entry
                ready.appendleft(key)
                return MAX_CALL
            key.out = True
            entry.lane.on_wire += 1
            entries.append(entry)
            size += entry.size
            if not spend(entry.size, now) or size >= MAX_CALL:
                break
        return size

    def _next(self, key: Key, pack: int) -> Entry | None:
        held = key.held
        if held is not None:
            key.held = None
            if not held.lane.dropped:
                return held
        waiting = key.waiting
        while waiting:
            submission, index = waiting.popleft()
            lane = submission.lane
            ahead, key.ahead = key.ahead, None
            if lane.dropped:
                continue
            first = submission.encode(index) if ahead is None else ahead
            if waiting and self._codec.packs:
                return self._packed(key, submission, index, first, pack)
            lane.take(submission.mean)
            return Entry(key, self._codec.entry(key.name, (first,)), [(submission, index)])
        return None

    def _packed(self, key: Key, submission: Submission, index: int, first: bytes, pack: int) -> Entry:
        """As many as fit of those that wait behind ``first``, of the same lane."""
        waiting, lane = key.waiting, submission.lane
        parts, records, size, taken = [first], [(submission, index)], len(first), submission.mean
        while waiting and size < pack:
            submission, index = waiting[0]
            if submission.lane is not lane:
                break
            part = submission.encode(index)
            size += len(part)
            if size > pack:
                key.ahead = part
                break
            parts.append(part)
            records.append(waiting.popleft())
            taken += submission.mean
        lane.take(taken)
        return Entry(key, self._codec.entry(key.name, parts), records)

    def _pack_size(self, shard: OpenShard) -> int:
        """Small enough not to come in bursts, large enough for a key alone to use all that its shard takes."""
        rate = shard.rate.bytes_per_s
        if rate is None:
            return _MAX_PACK
        return min(_MAX_PACK, max(_MIN_PACK, int(rate * self.round_trip_s * 1.5)))

    def _make_ready(self, key: Key) -> None:
        queue = self._queues[key.shard]
        queue.ready.append(key)
        self._list(queue)

    def _list(self, queue: _Queue) -> None:
        if not queue.listed:
            queue.listed = True
            self._listed.append(queue)

    def _wait_s(self, now: float) -> float | None:
        waits = [queue.shard.rate.wait_s(now) for queue in self._listed]
        if self._delayed:
            waits.append(max(0.0, self._delayed[0][0] - now))
        return min(waits, default=None)

    def _end_delays(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            key = heappop(self._delayed)[2]
            key.out = False
            self._make_ready(key)

    def _follow_map(self) -> None:
        """Put the keys to the shards that they belong to now."""
        if self._version == self._shards.version:
            return
        self._version = self._shards.version
        self._queues = [_Queue(shard) for shard in self._shards.shards]
        self._listed.clear()
        for key in self._keys.values():
            key.shard = self._shards.index(key.name)
            if not key.idle and not key.out:
                self._make_ready(key)

    def _sweep(self) -> None:
        """Forget the keys of which nothing waits. They are kept for a while because most come again soon."""
        self._keys = {name: key for name, key in self._keys.items() if not key.idle}
        self._sweep_at = max(_KEPT_KEYS, 2 * len(self._keys))
