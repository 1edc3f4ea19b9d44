"""Which partitions may be read now: a child only when its parents are finished."""

from collections.abc import Collection, Iterable, Mapping

from checkpoints.base import Bound
from connectors.base import Partition, Place


def startable(waiting: Iterable[Partition], unfinished: Collection[str]) -> list[Partition]:
    """Those of ``waiting`` that have no parent among ``unfinished``.

    A parent that is neither listed nor checkpointed has expired and holds nothing back. After a merge both parents
    count.
    """
    return [partition for partition in waiting if not any(parent in unfinished for parent in partition.parents)]


def inherited(parents: Collection[Bound]) -> Bound | None:
    """What a job has to copy of a child whose parents are finished, by their bounds: it ends at the same time.

    None where a parent went on behind the end: all that is in the child came later. Where the ends are positions a
    child that nobody knew when they were frozen came later, too.
    """
    if not parents or any(parent.is_reached for parent in parents):
        return None
    first = next(iter(parents))
    return None if first.end_ms is None else Bound(first.since, first.until, begin=None, end=None, end_ms=first.end_ms)


def beginning(partition: Partition, parents: Mapping[str, Place]) -> Place:
    """Where a child begins whose parents have been read to their ends, by the places where these stand.

    All that is in a child arrived after its parents ended. So a child that nobody comes to read before its records
    expire has a gap with a name, instead of a beginning that is taken for the first record.
    """
    watermarks = [parents[parent].watermark_ms for parent in partition.parents if parent in parents]
    known = [watermark for watermark in watermarks if watermark is not None]
    return Place(None, min(known)) if watermarks and len(known) == len(watermarks) else Place()
