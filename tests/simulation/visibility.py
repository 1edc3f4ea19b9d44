"""What a read_committed reader sees, looked at with every transaction that becomes visible."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from checkpoints.base import Checkpoint
from connectors.base import Record
from connectors.memory.cluster import Transaction
from connectors.memory.source import MemoryStream, Shard
from tests.simulation.invariants import ViolationError


class Visibility:
    """Of each shard a contiguous prefix, each record once and whole, in its topic, and the stored position at its end.

    The dead letter is part of the same transactions.
    """

    def __init__(
        self,
        stream: MemoryStream,
        dead_letter: str,
        parts: Callable[[Record], Sequence[Record]],
        is_refused: Callable[[Record], bool],
    ) -> None:
        """``parts`` are what is to be seen of a record, unless it ``is_refused``."""
        self._stream = stream
        self._dead_letter = dead_letter
        self._parts = parts
        self._is_refused = is_refused
        self._seen: defaultdict[str, int] = defaultdict(int)
        self._last: dict[bytes | None, tuple[int, ...]] = {}

    def committed(self, transaction: Transaction, checkpoints: Mapping[str, Checkpoint]) -> None:
        """``transaction`` has just become visible; ``checkpoints`` are all there are now."""
        found: defaultdict[str, defaultdict[int, list[Record]]] = defaultdict(lambda: defaultdict(list))
        for topic, record in transaction.records:
            source = self._stream.shards[record.partition].records[int(record.position)]
            is_refused = self._is_refused(source)
            if is_refused != (topic.name == self._dead_letter):
                raise ViolationError(f"{record.value!r} is in {topic.name}")
            found[record.partition][int(record.position)].append(record)
            if not is_refused:
                self._follow(record)
        for name, records in found.items():
            self._extend(self._stream.shards[name], records)
        for name, shard in self._stream.shards.items():
            self._compare(name, shard, checkpoints.get(name))

    def _follow(self, record: Record) -> None:
        """Records of a key rise, by the number that each has as its value, and that of its part."""
        number = tuple(map(int, (record.value or b"0").split(b".")))
        if number <= self._last.get(record.key, (-1,)):
            raise ViolationError(f"key {record.key!r}: {number} follows {self._last[record.key]}")
        self._last[record.key] = number

    def _extend(self, shard: Shard, found: Mapping[int, Sequence[Record]]) -> None:
        name = shard.partition.id
        for parent in shard.partition.parents:
            if self._behind(parent, self._seen[parent]) < len(self._stream.shards[parent].records):
                raise ViolationError(f"{name} overtook its parent {parent}")
        for position in sorted(found):
            if position != self._behind(name, self._seen[name]):
                raise ViolationError(f"{name}: {position} became visible behind the first {self._seen[name]}")
            source = shard.records[position]
            wanted = [source] if self._is_refused(source) else self._parts(source)
            if [record.value for record in found[position]] != [record.value for record in wanted]:
                raise ViolationError(f"{name}: of {position} there are {found[position]}")
            self._seen[name] = position + 1

    def _behind(self, name: str, first: int) -> int:
        """The next record from ``first`` on of which something is to be seen."""
        records = self._stream.shards[name].records
        while first < len(records) and not self._is_refused(records[first]) and not self._parts(records[first]):
            first += 1
        return first

    def _compare(self, name: str, shard: Shard, checkpoint: Checkpoint | None) -> None:
        seen = self._seen[name]
        stored = 0 if checkpoint is None or checkpoint.position is None else int(checkpoint.position) + 1
        if not seen <= stored <= self._behind(name, seen):
            raise ViolationError(f"checkpoint of {name} covers {stored} records, {seen} are visible")
        if checkpoint is not None and checkpoint.finished and not (shard.closed and stored == len(shard.records)):
            raise ViolationError(f"{name} is called finished at {stored} of {len(shard.records)} records")
