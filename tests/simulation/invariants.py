"""What must be true of a mirror at any moment and at its end, whatever happened in between."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from checkpoints.base import Checkpoint
from connectors.base import Record
from connectors.memory.source import MemoryStream
from connectors.memory.topic import MemoryTopic

_NEVER = -1


class ViolationError(AssertionError):
    """An invariant does not hold."""


def check_checkpoints(
    checkpoints: Mapping[str, Checkpoint], stream: MemoryStream, is_done: Callable[[Record], bool]
) -> None:
    """A position covers only records that are done: in the topic or in the dead letter; an end, all of the shard."""
    for name, checkpoint in checkpoints.items():
        shard = stream.shards[name]
        covered = _NEVER if checkpoint.position is None else int(checkpoint.position)
        for record in shard.records[: covered + 1]:
            if not is_done(record):
                raise ViolationError(f"checkpoint {name}@{covered} is ahead of record {record.position}")
        if checkpoint.finished and not (shard.closed and covered == len(shard.records) - 1):
            raise ViolationError(f"{name} is called finished at {covered} of {len(shard.records)} records")


def check_parity(expected: Sequence[Record], topic: MemoryTopic, *, reruns_whole: bool) -> None:
    """Nothing lost; each key in order; what is doubled is a re-run of a contiguous stretch, never a swap.

    Without ``reruns_whole`` such a re-run may mingle with what another worker sends: first arrivals are in order.
    """
    found = _by_key([record for log in topic.partitions for record in log])
    for key, values in _by_key(expected).items():
        _check_key(key, values, found.pop(key, []), reruns_whole=reruns_whole)
    if found:
        raise ViolationError(f"keys from nowhere: {list(found)}")


def check_once(topic: MemoryTopic) -> None:
    """No record is there twice."""
    for number, count in Counter(record.value for log in topic.partitions for record in log).items():
        if count > 1:
            raise ViolationError(f"{number!r} is there {count} times")


def _check_key(key: bytes | None, wanted: list[bytes | None], found: list[bytes | None], *, reruns_whole: bool) -> None:
    places = {value: place for place, value in enumerate(wanted)}
    reached = last = _NEVER
    for value in found:
        place = places.get(value)
        if place is None:
            raise ViolationError(f"key {key!r}: {value!r} should not be there")
        before = last if reruns_whole else reached
        if place > before + 1:
            raise ViolationError(f"key {key!r}: {value!r} overtook {wanted[before + 1]!r}")
        last = place
        reached = max(reached, place)
    if reached != len(wanted) - 1:
        raise ViolationError(f"key {key!r}: {len(wanted) - 1 - reached} records are missing")


def _by_key(records: Sequence[Record]) -> dict[bytes | None, list[bytes | None]]:
    keys: defaultdict[bytes | None, list[bytes | None]] = defaultdict(list)
    for record in records:
        keys[record.key].append(record.value)
    return dict(keys)
