"""A stream and a topic with mirrors between them, and consumers on either side, all of it by chance."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from zlib import crc32

from bridge.migration.leases.lease import LeaseCheckpoint, Processed, Sentinel
from checkpoints.base import Checkpoint
from connectors.base import ORIGIN_HEADER, Header, Partition
from tests.bridge.migration.translation.shelves import STREAM, TOPIC, Kept, Shelf, ShelfLog

_HASHES = 1 << 16
_BEGAN_MS = 1_700_000_000_000


@dataclass(slots=True)
class Shard:
    partition: Partition
    first: int
    last: int
    kept: list[Kept] = field(default_factory=list)
    closed: bool = False
    mirrored: int = 0
    """How many of its records a mirror has read."""


@dataclass(frozen=True, slots=True)
class Chances:
    """What happens in a world. Probabilities of a record, or of a step."""

    has_natives: bool = False
    """Whether producers write to the topic too, for some time, and a second mirror carries that back."""
    drop: float = 0.0
    rewind: float = 0.0
    reshard: float = 0.05
    aggregate: float = 0.3
    split: float = 0.0
    """Of a record that is mirrored into several, of keys of their own."""


class World:
    """One history. Mirrors lag as they like until ``drain``."""

    def __init__(self, draw: Random, chances: Chances, shards: int = 2, partitions: int = 3, keys: int = 8) -> None:
        self._draw = draw
        self.chances = chances
        self._keys = [f"key-{number}".encode() for number in range(keys)]
        self.shards: dict[str, Shard] = {}
        self.topic: list[list[Kept]] = [[] for _ in range(partitions)]
        self.carried = [0] * partitions
        """How many records of each partition the second mirror has read."""
        self.dropped: set[int] = set()
        self._now_ms = _BEGAN_MS
        self._ids = 0
        self._sequence = 49 * 10**54
        self._is_moved = False
        bounds = [_HASHES * number // shards for number in range(shards + 1)]
        for first, last in pairwise(bounds):
            self._open((), first, last - 1)

    def live(self, steps: int) -> None:
        for _ in range(steps):
            self._step()

    def drain(self) -> None:
        """The mirrors come to their ends."""
        while self._mirror_some() or self._carry_some():
            self._wait()

    def logs(self) -> tuple[ShelfLog, ShelfLog]:
        """Stream and topic."""
        stream = {shard.partition: shard.kept for shard in self.shards.values()}
        topic = {Partition(str(number)): kept for number, kept in enumerate(self.topic)}
        return ShelfLog(Shelf(STREAM, stream)), ShelfLog(Shelf(TOPIC, topic))

    def checkpoints_of_stream(self) -> dict[str, Checkpoint]:
        """Of the mirror that reads the stream."""
        return {
            name: _checkpoint(shard.kept[: shard.mirrored]) for name, shard in self.shards.items() if shard.mirrored
        }

    def checkpoints_of_topic(self) -> dict[str, Checkpoint]:
        """Of the mirror that reads the topic."""
        return {
            str(number): _checkpoint(self.topic[number][:count]) for number, count in enumerate(self.carried) if count
        }

    def consume_stream(self, least: int = 0) -> dict[str, LeaseCheckpoint]:
        """Leases of an application that has processed anything that is mirrored, shard by shard, parents first."""
        done = dict.fromkeys(self.shards, 0)
        for _ in range(self._draw.randint(least, 40)):
            open_to = [name for name in self.shards if self._may_read(name, done)]
            name = self._draw.choice(open_to)
            shard = self.shards[name]
            limit = shard.mirrored
            done[name] = min(limit, done[name] + self._draw.randint(0, 8))
        return dict(self._leases(done))

    def consume_topic(self) -> dict[str, int]:
        """What a group has committed that has processed anything that is carried back."""
        return {str(number): self._draw.randint(0, count) for number, count in enumerate(self.carried)}

    def _step(self) -> None:
        self._wait()
        if self.chances.has_natives and self._draw.random() < 0.02:
            self._is_moved = not self._is_moved
        if self._draw.random() < self.chances.reshard and len(self.shards) < 12:
            self._reshard()
        for _ in range(self._draw.randint(0, 3)):
            self._produce()
        if self._draw.random() < 0.5:
            self._mirror_some()
        if self._draw.random() < 0.5:
            self._carry_some()

    def _wait(self) -> None:
        self._now_ms += self._draw.randint(0, 900)

    def _produce(self) -> None:
        key = self._draw.choice(self._keys)
        if self._is_moved:
            self._append(key, self._new_id(), self._now_ms, ())
            return
        count = self._draw.randint(2, 4) if self._draw.random() < self.chances.aggregate else 1
        self._put(key, [self._new_id() for _ in range(count)], ())

    def _new_id(self) -> int:
        self._ids += 1
        return self._ids

    def _put(self, key: bytes, ids: list[int], headers: tuple[Header, ...]) -> None:
        self._sequence += self._draw.randint(1, 1000)
        place = crc32(key) % _HASHES
        shard = next(each for each in self.shards.values() if not each.closed and each.first <= place <= each.last)
        for sub, number in enumerate(ids):
            position = str(self._sequence) if len(ids) == 1 else f"{self._sequence}#{sub}"
            shard.kept.append(Kept(position, key, number, self._now_ms, headers))

    def _append(self, key: bytes, number: int, time_ms: int, headers: tuple[Header, ...]) -> None:
        log = self.topic[crc32(b"topic" + key) % len(self.topic)]
        log.append(Kept(str(len(log)), key, number, time_ms, headers))

    def _reshard(self) -> None:
        live = sorted((shard for shard in self.shards.values() if not shard.closed), key=lambda each: each.first)
        number = self._draw.randrange(len(live))
        if self._draw.random() < 0.5 or number + 1 == len(live):
            shard = live[number]
            middle = (shard.first + shard.last) // 2
            shard.closed = True
            self._open((shard.partition.id,), shard.first, middle)
            self._open((shard.partition.id,), middle + 1, shard.last)
        else:
            left, right = live[number : number + 2]
            left.closed = right.closed = True
            self._open((left.partition.id, right.partition.id), left.first, right.last)

    def _open(self, parents: tuple[str, ...], first: int, last: int) -> None:
        partition = Partition(f"shardId-{len(self.shards):012}", parents)
        self.shards[partition.id] = Shard(partition, first, last)

    def _mirror_some(self) -> bool:
        ready = [
            shard
            for shard in self.shards.values()
            if shard.mirrored < len(shard.kept) and all(self._is_mirrored(parent) for parent in shard.partition.parents)
        ]
        if not ready:
            return False
        shard = self._draw.choice(ready)
        if self._draw.random() < self.chances.rewind:
            self._mirror(shard, max(0, shard.mirrored - self._draw.randint(1, 5)), shard.mirrored)
        until = min(len(shard.kept), shard.mirrored + self._draw.randint(1, 8))
        self._mirror(shard, shard.mirrored, until)
        shard.mirrored = until
        return True

    def _mirror(self, shard: Shard, first: int, until: int) -> None:
        for each in shard.kept[first:until]:
            if each.headers or each.id in self.dropped:
                continue
            if first == shard.mirrored and self._draw.random() < self.chances.drop:
                self.dropped.add(each.id)
                continue
            for part in range(self._parts(each)):
                key = each.key or b""
                identity = f"{each.position}~{part}" if part else each.position
                hop = f"{STREAM}/{shard.partition.id}/{identity}>{TOPIC}".encode()
                self._append(key + b"%d" % part * part, each.id, each.time_ms, ((ORIGIN_HEADER, hop),))

    def _parts(self, record: Kept) -> int:
        """Always the same of the same record."""
        return 3 if Random(record.id).random() < self.chances.split else 1

    def _is_mirrored(self, name: str) -> bool:
        shard = self.shards[name]
        parents = all(self._is_mirrored(parent) for parent in shard.partition.parents)
        return shard.closed and shard.mirrored == len(shard.kept) and parents

    def _carry_some(self) -> bool:
        ready = [number for number, log in enumerate(self.topic) if self.carried[number] < len(log)]
        if not ready:
            return False
        number = self._draw.choice(ready)
        first, until = (
            self.carried[number],
            min(len(self.topic[number]), self.carried[number] + self._draw.randint(1, 6)),
        )
        natives = [each for each in self.topic[number][first:until] if not each.headers]
        for each in self._overtaken(natives):
            if self._draw.random() < self.chances.drop:
                self.dropped.add(each.id)
                continue
            hop = f"{TOPIC}/{number}/{each.position}>{STREAM}".encode()
            self._put(each.key or b"", [each.id], ((ORIGIN_HEADER, hop),))
        self.carried[number] = until
        return True

    def _overtaken(self, records: list[Kept]) -> Iterator[Kept]:
        """Keys in any order, each in its own."""
        left = list(records)
        while left:
            key = self._draw.choice(left).key
            chosen = next(each for each in left if each.key == key)
            left.remove(chosen)
            yield chosen

    def _may_read(self, name: str, done: dict[str, int]) -> bool:
        return all(self._is_consumed(parent, done) for parent in self.shards[name].partition.parents)

    def _is_consumed(self, name: str, done: dict[str, int]) -> bool:
        shard = self.shards[name]
        return shard.closed and done[name] == len(shard.kept) and self._may_read(name, done)

    def _leases(self, done: dict[str, int]) -> Iterator[tuple[str, LeaseCheckpoint]]:
        for name, shard in self.shards.items():
            if self._is_consumed(name, done):
                children = [each for each in self.shards.values() if name in each.partition.parents]
                has_begun = children and all(done[each.partition.id] for each in children)
                if not has_begun or self._draw.random() < 0.5:
                    yield name, Sentinel.SHARD_END
            elif done[name]:
                sequence, _, sub = shard.kept[done[name] - 1].position.partition("#")
                yield name, Processed(sequence, int(sub or 0))
            elif self._may_read(name, done) or self._draw.random() < 0.5:
                yield name, Sentinel.TRIM_HORIZON


def _checkpoint(kept: list[Kept]) -> Checkpoint:
    last = kept[-1]
    return Checkpoint(last.position, last.time_ms, finished=False, saved_ms=0, source="", sink="")
