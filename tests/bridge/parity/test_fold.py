import random

from bridge.parity.entry import rank
from bridge.parity.fold import Fold
from tests.bridge.parity.sides import Mirrored, records


def folded(found: list[Mirrored]) -> Fold:
    fold = Fold()
    for record in found:
        fold.add(record.in_sink())
    return fold


def test_a_fold_does_not_depend_on_the_order() -> None:
    """Two sides read in different orders fold to the same."""
    shuffled = records()
    random.Random(7).shuffle(shuffled)
    assert folded(records()).differing(folded(shuffled)) == set()


def test_a_fold_tells_which_partition_differs() -> None:
    """Only what differs is to be read again."""
    changed = records()
    changed[4] = changed[4].but(value=b"")
    assert folded(records()).differing(folded(changed)) == {"shard-1"}


def test_a_lost_and_a_doubled_record_do_not_cancel_out() -> None:
    """The count alone would be right, the sum is not."""
    changed = records()
    changed[3] = changed[0]
    assert folded(records()).count == folded(changed).count
    assert folded(records()).differing(folded(changed)) == {"shard-0"}


def test_positions_rise_by_their_numbers() -> None:
    """Positions are numbers of any length: 100 is after 99, and so is a later number inside of one aggregate."""
    assert folded(records()).rises
    assert rank("99") < rank("100") < rank("100#0") < rank("100#9") < rank("100#10") < rank("101")


def test_a_position_that_does_not_rise_is_noticed() -> None:
    """A swap and a repetition both show, without a key being kept."""
    swapped = records()
    swapped[0], swapped[6] = swapped[6], swapped[0]
    assert not folded(swapped).rises
    assert not folded([*records(), records()[-1]]).rises
