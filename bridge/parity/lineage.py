"""Which partitions hold what came before the records of others."""

from collections.abc import Iterable

from connectors.base import Partition


class Lineage:
    """Of the partitions of one side. Those that are not among them have no known ancestors."""

    def __init__(self, partitions: Iterable[Partition] = ()) -> None:
        self._parents: dict[str, tuple[str, ...]] = {}
        self._ancestors: dict[str, frozenset[str]] = {}
        self._descendants: dict[str, frozenset[str]] = {}
        for partition in partitions:
            self.add(partition)

    def add(self, partition: Partition) -> None:
        if self._parents.get(partition.id) != partition.parents:
            self._parents[partition.id] = partition.parents
            self._ancestors.clear()
            self._descendants.clear()

    def parents(self, partition: str) -> tuple[str, ...]:
        return self._parents.get(partition, ())

    @property
    def has_lost_some(self) -> bool:
        """Whether there were partitions that are not among these any more."""
        return any(parent not in self._parents for parents in self._parents.values() for parent in parents)

    def ancestors(self, partition: str) -> frozenset[str]:
        found = self._ancestors.get(partition)
        if found is None:
            parents = self._parents.get(partition, ())
            found = frozenset(parents).union(*map(self.ancestors, parents))
            self._ancestors[partition] = found
        return found

    def descendants(self, partition: str) -> frozenset[str]:
        found = self._descendants.get(partition)
        if found is None:
            found = frozenset(other for other in self._parents if partition in self.ancestors(other))
            self._descendants[partition] = found
        return found
