"""A stretch of records as parity sees it: which ones they are, and where they were found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from operator import lt

from bridge.parity.digest import digests, ranks
from connectors.base import Header


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

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def ranks(self) -> list[int]:
        return ranks(self.positions)

    @cached_property
    def digests(self) -> list[int]:
        return digests(self.positions, self.keys, self.values, self.headers)

    @cached_property
    def rises(self) -> bool:
        """Whether each stands behind the one before it at the origin too."""
        return all(map(lt, self.ranks, islice(self.ranks, 1, None)))

    def pick(self, chosen: Sequence[int]) -> "Run":
        """The records at the indexes ``chosen`` alone."""
        return replace(
            self,
            positions=[self.positions[index] for index in chosen],
            places=[self.places[index] for index in chosen],
            keys=[self.keys[index] for index in chosen],
            values=[self.values[index] for index in chosen],
            headers=None if self.headers is None else [self.headers[index] for index in chosen],
        )


@dataclass(frozen=True)
class Transformed(Run):
    """Records of which only identity and order are compared: a mirror makes others of what the source holds."""

    @cached_property
    def digests(self) -> list[int]:
        nothing = [None] * len(self)
        return digests(self.positions, nothing, nothing, None)
