from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.digest import rank
from bridge.parity.lineage import Lineage
from bridge.parity.order import MOST_PLACES
from bridge.parity.order import Order as Followed
from connectors.base import Partition
from tests.bridge.parity.runs import run


class Order(Followed):
    """Remembers what it suspects."""

    def __init__(self, origins: Lineage, *, by_key: bool, most: int = MOST_PLACES) -> None:
        super().__init__(origins, self._remember, by_key=by_key, most=most)
        self.suspected: dict[str, list[int]] = {}

    def _remember(self, partition: str, rank: int, _: bytes) -> None:
        self.suspected.setdefault(partition, []).append(rank)


def late(order: Order, partition: str = "p") -> list[int]:
    return [each >> 32 for each in order.suspected.get(partition, [])]


@given(st.permutations(range(30)), st.integers(1, 7))
def test_a_record_behind_a_later_one_of_its_key_is_always_suspected(numbers: list[int], keys: int) -> None:
    """Whatever may overtake: no disorder of a key escapes, however few places are left to follow keys."""
    truly = {
        number
        for index, number in enumerate(numbers)
        if any(other > number and other % keys == number % keys for other in numbers[:index])
    }
    exact, coarse, strict = (
        Order(Lineage(), by_key=True),
        Order(Lineage(), by_key=True, most=2),
        Order(Lineage(), by_key=False),
    )
    for order in (exact, coarse, strict):
        for first in range(0, 30, 4):
            order.add(run("p", numbers[first : first + 4], keys=keys))
    assert set(late(exact)) == truly
    assert truly <= set(late(coarse))
    assert truly <= set(late(strict))


def test_other_keys_may_overtake_in_a_stream() -> None:
    """A throttled key comes later there, and nobody minds; in a topic nothing may come later."""
    order, strict = Order(Lineage(), by_key=True), Order(Lineage(), by_key=False)
    for each in (order, strict):
        each.add(run("p", [1, 3, 2], keys=100))
    assert (late(order), late(strict)) == ([], [2])


def test_children_come_after_their_parents_at_the_origin() -> None:
    """A record of a parent behind one of its child is late, whatever its number."""
    order = Order(Lineage([Partition("p"), Partition("c", ("p",))]), by_key=True)
    order.add(run("p", [500], keys=1))
    order.add(run("c", [3], keys=1))
    order.add(run("p", [900], keys=1))
    assert late(order) == [900]


def test_a_key_goes_on_in_the_children_of_its_shard() -> None:
    """What the parent held last is remembered there."""
    order = Order(Lineage(), by_key=True)
    order.begin("parent", ())
    order.add(run("p", [1, 5], place="parent", keys=1))
    order.begin("child", ("parent",))
    order.add(run("p", [4, 6], place="child", keys=1))
    assert late(order) == [4]


def test_records_without_a_key_are_never_suspected() -> None:
    """They have no order."""
    order = Order(Lineage(), by_key=False)
    found = run("p", [2, 1])
    order.add(found.__class__("p", "0", found.positions, found.places, [None, None], found.values))
    assert late(order) == []
    assert rank("1#3") > rank("1#2") > rank("1") > rank("0#9")


def test_more_pairs_of_partitions_than_places_are_followed_all_the_same() -> None:
    """All keys of a pair share a bucket then: whatever is late is still suspected."""
    order = Order(Lineage(), by_key=True, most=4)
    for place in "abc":
        for origin in "pqr":
            order.add(run(origin, [2, 1], place=place, keys=1))
    assert {origin: len(late(order, origin)) for origin in "pqr"} == {"p": 3, "q": 3, "r": 3}
