"""Which deliveries tell that a whole batch is delivered."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.homes import Homes

_KEYS = st.one_of(st.none(), st.integers(0, 30).map(lambda number: b"%d" % number))


@given(learned=st.sets(st.integers(0, 30)), keys=st.lists(_KEYS), partitions=st.integers(1, 5))
def test_each_partition_s_last_record_is_heard_of(learned: set[int], keys: list[bytes | None], partitions: int) -> None:
    """Whatever is known: unknown keys and null keys are heard of themselves, and others by one behind them."""
    homes = Homes()
    for number in learned:
        homes.learn(b"%d" % number, number % partitions)
    heard = set(homes.decisive(keys))
    for index, key in enumerate(keys):
        if key is None or int(key) not in learned:
            assert index in heard
        else:
            home = int(key) % partitions
            assert any(
                later in heard and (behind := keys[later]) is not None and int(behind) % partitions == home
                for later in range(index, len(keys))
            )


def test_memory_is_bounded() -> None:
    """Keys without end are forgotten, the latest last."""
    homes = Homes(max_bytes=10_000)
    for number in range(100_000):
        homes.learn(b"%d" % number, 0)
    assert len(homes.decisive([b"%d" % number for number in range(100_000)])) > 99_000
    assert homes.decisive([b"99999", b"99999"]) == [1]
