from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.digest import rank
from bridge.parity.fold import Ranges, SinkFold, Stretch
from bridge.parity.lineage import Lineage
from tests.bridge.parity.runs import run

NUMBERS = st.lists(st.integers(0, 10**6), min_size=1, max_size=300, unique=True).map(sorted)
NONE: dict[str, set[int]] = {}


def folded(numbers: list[int], most: int = 8, size: int = 7) -> Ranges:
    """The source's records, in batches of ``size``."""
    ranges = Ranges(most)
    for first in range(0, len(numbers), size):
        ranges.add(run("p", numbers[first : first + size]))
    return ranges


@given(NUMBERS, st.randoms(use_true_random=False))
def test_a_fold_does_not_depend_on_the_order(numbers: list[int], random: object) -> None:
    """However the sink is read, what it holds of each range is the same."""
    fold = SinkFold({"p": folded(numbers)})
    shuffled = list(numbers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for first in range(0, len(shuffled), 11):
        fold.add(run("p", shuffled[first : first + 11], place=str(first % 2)))
    assert fold.differing(NONE) == []
    assert (fold.count, fold.before, fold.behind) == (len(numbers), 0, 0)


@given(st.integers(1, 50_000), st.integers(1, 200))
def test_ranges_stay_few_and_lose_nothing(count: int, size: int) -> None:
    """Two become one when there are too many: counts, ends and order stay right."""
    ranges = Ranges(8)
    for first in range(0, count, size * 50):
        ranges.add(run("p", range(first, min(count, first + size * 50))))
    assert len(ranges) <= 8
    assert sum(ranges.counts) == count
    assert (ranges.firsts[0], ranges.lasts[-1]) == ("0", str(count - 1))
    assert [int(first) for first in ranges.firsts[1:]] == [int(last) + 1 for last in ranges.lasts[:-1]]
    assert ranges.last_ranks == [rank(last) for last in ranges.lasts]


@given(NUMBERS, st.data())
def test_one_record_that_differs_is_in_the_range_that_does(numbers: list[int], data: st.DataObject) -> None:
    """Lost, doubled or altered: its range, and no other, is to be read again."""
    ranges = folded(numbers, size=40)
    number = data.draw(st.sampled_from(numbers))
    rest = [each for each in numbers if each != number]
    for bad in ([], [run("p", [number]), run("p", [number])], [run("p", [number], value=b"w")]):
        fold = SinkFold({"p": ranges})
        for part in ([run("p", rest)] if rest else []) + bad:
            fold.add(part)
        index = ranges.index(rank(str(number)))
        assert fold.differing(NONE) == [Stretch("p", index or 0, index or 0)]


def test_contents_exchanged_between_two_records_change_the_sum() -> None:
    """The sum of digests that did not mix position and content well would be the same."""
    for size in range(1, 200):
        good = run("p", [1, 2], keys=1, value=b"v" * size)
        ranges = Ranges()
        ranges.add(good)
        fold = SinkFold({"p": ranges})
        fold.add(replace(good, values=[good.values[1], good.values[0]]))
        assert fold.differing(NONE), size


def test_what_is_outside_of_the_ranges_is_counted_and_not_compared() -> None:
    """It was there before the oldest record, or came after the range ended."""
    fold = SinkFold({"p": folded(list(range(100, 200)))})
    fold.add(run("p", range(90, 215)))
    assert fold.differing(NONE) == []
    assert (fold.count, fold.before, fold.behind) == (100, 10, 15)


def test_a_range_is_read_again_where_it_was_met() -> None:
    """From where anything that must come later stood first, to where the range was seen last; a parent's rest too."""
    ranges = Ranges(1_000)
    ranges.add(run("p", range(5_000)))
    fold = SinkFold({"p": ranges})
    for first in range(0, 5_000, 100):
        fold.add(run("p", range(first, first + 100), place="parent" if first < 2_000 else "child"))
    sink = Lineage()
    assert fold.places(Stretch("p", 2, 2), Lineage(), sink) == {"child": ("2000", "3099")}
    assert fold.places(Stretch("p", 1, 1), Lineage(), sink) == {"parent": ("1000", "1999"), "child": ("2000", "2099")}


def test_where_too_much_was_met_everything_is_read_again() -> None:
    """What is remembered is bounded, however many partitions the sink has; what differs is found all the same."""
    ranges = folded(list(range(20_000)), most=1_000, size=1_000)
    fold = SinkFold({"p": ranges}, most_met=3)
    for first in range(0, 20_000, 1_000):
        fold.add(run("p", range(first, first + 1_000), place=str(first // 1_000 % 5)))
    found = fold.places(Stretch("p", 2, 2), Lineage(), Lineage())
    assert found == {str(place): (str(place * 1_000), str(15_999 + place * 1_000)) for place in range(5)}
