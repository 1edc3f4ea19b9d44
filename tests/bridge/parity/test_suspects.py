from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.fold import Ranges
from bridge.parity.suspects import Keys, Suspects
from tests.bridge.parity.runs import run


@given(st.sets(st.binary(max_size=6), max_size=80), st.sampled_from([1, 4, 64]))
def test_every_key_that_was_added_is_there(added: set[bytes], most: int) -> None:
    """Others may be as well, when there are many: these are looked at in vain."""
    keys = Keys(most)
    for key in added:
        keys.add(key)
    assert all(key in keys for key in added)
    assert None not in keys
    assert len(keys) <= most


def test_suspects_grow_with_ranges_and_not_with_records() -> None:
    """However many records are late, their ranges are told once; those outside of all ranges are not."""
    ranges = Ranges()
    ranges.add(run("p", range(3_000)))
    suspects = Suspects({"p": ranges})
    for each in (run("p", range(2_500), keys=3), run("p", [5_000])):
        for rank, key in zip(each.ranks, each.keys, strict=True):
            suspects.add("p", rank, key or b"")
    assert suspects.ranges == {"p": {0, 1, 2}}
