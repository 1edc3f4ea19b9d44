"""A stretch of records as parity sees it: which ones they are, and where they were found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from operator import lt

from bridge.parity.digest import digests, ranks
from connectors.base import Header, identity_of

_PART_BITS = 32
"""More than the parts of one record need."""


@dataclass(frozen=True)
class Run:
    """Records of one origin partition in the order in which they stand in ``place``, as columns of equal length."""

    partition: str
    """At the origin."""
    place: str
    """The partition of the side they were read from."""
    positions: Sequence[str]
    """At the origin."""
    places: Sequence[str]
    """Their positions in ``place``."""
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[tuple[Header, ...]] | None = None
    """What they hold, without what the bridge added; None when no record has any."""
    parts: Sequence[int] | None = None
    """Which of those made of one record at the origin each is, from 0; None: each is the first."""
    counts: Sequence[int] | None = None
    """How many were made of its record, as the first of them says, and 1 of any other; None: 1 each."""

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def ranks(self) -> list[int]:
        return ranks(self.positions)

    @property
    def order(self) -> list[int]:
        """Numbers that sort them as they have to stand: as ``ranks``, of which all parts of a record have the same."""
        return self.ranks

    @cached_property
    def identities(self) -> Sequence[str]:
        """Of each, as ``identity_of``."""
        return self.positions if self.parts is None else list(map(identity_of, self.positions, self.parts))

    @cached_property
    def digests(self) -> list[int]:
        return digests(self.identities, self.keys, self.values, self.headers)

    @property
    def terms(self) -> list[int]:
        """What each adds to the sum of its range: that of the sink comes to that of the source."""
        return self.digests

    @cached_property
    def rises(self) -> bool:
        """Whether each has to stand behind the one before it."""
        return all(map(lt, self.order, islice(self.order, 1, None)))

    def part(self, index: int) -> int:
        """Which one of its record that at ``index`` is, from 0."""
        return 0 if self.parts is None else self.parts[index]

    def count(self, index: int) -> int:
        """How many were made of its record, as that at ``index`` says."""
        return 1 if self.counts is None else self.counts[index]

    def pick(self, chosen: Sequence[int]) -> "Run":
        """The records at the indexes ``chosen`` alone."""
        return replace(
            self,
            positions=[self.positions[index] for index in chosen],
            places=[self.places[index] for index in chosen],
            keys=[self.keys[index] for index in chosen],
            values=[self.values[index] for index in chosen],
            headers=None if self.headers is None else [self.headers[index] for index in chosen],
            parts=None if self.parts is None else [self.parts[index] for index in chosen],
            counts=None if self.counts is None else [self.counts[index] for index in chosen],
        )


@dataclass(frozen=True)
class Transformed(Run):
    """Records of which only identity and order are compared: a mirror makes others of what the source holds."""

    @cached_property
    def order(self) -> list[int]:
        if self.parts is None:
            return [rank << _PART_BITS for rank in self.ranks]
        return [(rank << _PART_BITS) + part for rank, part in zip(self.ranks, self.parts, strict=True)]

    @cached_property
    def digests(self) -> list[int]:
        return _alone(self.identities)

    @cached_property
    def terms(self) -> list[int]:
        """Where a record says how many parts it has, less what the others add: the source knows of none."""
        if self.counts is None:
            return self.digests
        found = list(self.digests)
        for index, count in enumerate(self.counts):
            if count > 1:
                position = self.positions[index]
                found[index] -= sum(_alone([identity_of(position, part) for part in range(1, count)]))
        return found


def _alone(identities: Sequence[str]) -> list[int]:
    nothing = [None] * len(identities)
    return digests(identities, nothing, nothing, None)
