"""Which partitions may be read now: a child only when its parents are finished."""

from collections.abc import Collection, Iterable

from connectors.base import Partition


def startable(waiting: Iterable[Partition], unfinished: Collection[str]) -> list[Partition]:
    """Those of ``waiting`` that have no parent among ``unfinished``.

    A parent that is neither listed nor checkpointed has expired and holds nothing back. After a merge both parents
    count.
    """
    return [partition for partition in waiting if not any(parent in unfinished for parent in partition.parents)]
