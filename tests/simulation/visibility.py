"""What a read_committed reader sees, looked at with every transaction that becomes visible."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from checkpoints.base import Checkpoint
from connectors.base import Record
from connectors.memory import MemoryStream, Shard
from connectors.memory_cluster import Transaction
from tests.simulation.invariants import ViolationError
from tests.simulation.scenario import refusal


class Visibility:
    """Of each shard a contiguous prefix, each record once and in its topic, and the stored position at its very end.

    The dead letter is part of the same transactions.
    """

    def __init__(self, stream: MemoryStream, dead_letter: str) -> None:
        self._stream = stream
        self._dead_letter = dead_letter
        self._seen: defaultdict[str, int] = defaultdict(int)
        self._last: dict[bytes | None, int] = {}

    def committed(self, transaction: Transaction, checkpoints: Mapping[str, Checkpoint]) -> None:
        """``transaction`` has just become visible; ``checkpoints`` are all there are now."""
        positions: defaultdict[str, list[int]] = defaultdict(list)
        for topic, record in transaction.records:
            positions[record.partition].append(int(record.position))
            is_refused = refusal(record) is not None
            if is_refused != (topic.name == self._dead_letter):
                raise ViolationError(f"{record.value!r} is in {topic.name}")
            if not is_refused:
                self._follow(record)
        for name, found in positions.items():
            self._extend(self._stream.shards[name], sorted(found))
        for name, shard in self._stream.shards.items():
            self._compare(name, shard, checkpoints.get(name))

    def _follow(self, record: Record) -> None:
        """Records of a key rise, by the number that each has as its value."""
        number = int(record.value or b"0")
        if number <= self._last.get(record.key, -1):
            raise ViolationError(f"key {record.key!r}: {number} follows {self._last[record.key]}")
        self._last[record.key] = number

    def _extend(self, shard: Shard, found: Sequence[int]) -> None:
        name = shard.partition.id
        first = self._seen[name]
        if list(found) != list(range(first, first + len(found))):
            raise ViolationError(f"{name}: {found} became visible behind the first {first}")
        for parent in shard.partition.parents:
            if self._seen[parent] < len(self._stream.shards[parent].records):
                raise ViolationError(f"{name} overtook its parent {parent}")
        self._seen[name] += len(found)

    def _compare(self, name: str, shard: Shard, checkpoint: Checkpoint | None) -> None:
        seen = self._seen[name]
        stored = 0 if checkpoint is None or checkpoint.position is None else int(checkpoint.position) + 1
        if stored != seen:
            raise ViolationError(f"checkpoint of {name} covers {stored} records, {seen} are visible")
        if checkpoint is not None and checkpoint.finished and not (shard.closed and seen == len(shard.records)):
            raise ViolationError(f"{name} is called finished at {seen} of {len(shard.records)} records")
