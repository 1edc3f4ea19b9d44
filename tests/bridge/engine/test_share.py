"""How much of a mirror's work is one worker's: by what is left to read, without asking the others."""

from typing import Any

import pytest

from bridge.engine.standings import Standings
from checkpoints.base import Checkpoint
from connectors.base import Partition

SLOTS = 4
LISTING = tuple(Partition(str(number)) for number in range(8))


class Slots:
    def slot_of(self, partition: str) -> int:
        return int(partition) % SLOTS


class Read:
    identity = "s@1"


def standings(slots: set[int], finished: tuple[str, ...] = ()) -> Standings:
    store: Any = Slots()
    source: Any = Read()
    found = Standings(store, source, {}, bounded=False)
    found.listing = LISTING
    found.slots = slots
    ended = Checkpoint("9", None, finished=True, saved_ms=0, source=Read.identity, sink="t")
    found.checkpoints = dict.fromkeys(finished, ended)
    return found


@pytest.mark.parametrize("division", [[{0, 1, 2, 3}], [{0, 1}, {2, 3}], [{0}, {1, 2, 3}], [{0}, {1}, {2}, {3}]])
def test_the_shares_of_all_workers_are_the_whole(division: list[set[int]]) -> None:
    """However slots are divided, each share as large as its part of the partitions."""
    shares = [standings(slots).share for slots in division]
    assert shares == [len(slots) / SLOTS for slots in division]


def test_finished_partitions_count_no_more() -> None:
    """Who has all that is left has the whole rate."""
    assert standings({0, 1}, ("2", "6", "3", "7")).share == 1.0
    assert standings({0}, ("4",)).share == pytest.approx(1 / 7)


def test_a_worker_that_does_not_know_of_an_end_elsewhere_takes_less() -> None:
    """Never more than its part: the workers' shares do not add up to more than the whole."""
    knowing, unknowing = standings({0, 1}, ("0", "1")), standings({2, 3})
    assert knowing.share + unknowing.share <= 1


def test_who_owns_nothing_divides_by_nothing() -> None:
    """Its share is never 0, since a rate of nothing would be waited for without end."""
    assert standings(set()).share == 1.0
