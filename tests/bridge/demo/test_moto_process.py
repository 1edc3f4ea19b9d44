import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from moto.kinesis.models import Shard

from bridge.demo.moto_process import last_number, one_at_a_time, records_after


@pytest.fixture
def shard() -> Shard:
    filled = Shard(0, 0, 2**128 - 1)
    for number in range(25):
        filled.put_record("key", f"{number}", "")
        filled.records[number + 1].created_at = 1_000 + number
    return filled


@pytest.mark.parametrize("last", ["0", "1", "7", "24", "25"])
@pytest.mark.parametrize("limit", [1, 10, 25, 100, None])
def test_a_faster_read_answers_what_moto_answers(shard: Shard, last: str, limit: int | None) -> None:
    """The same records, cursor and lag from every place."""
    assert records_after(shard, last, limit) == shard.get_records(last, limit)


def test_a_faster_write_numbers_as_moto_does(shard: Shard) -> None:
    """The last number is the same, in an empty shard too."""
    assert last_number(shard) == shard.get_max_sequence_number()
    empty = Shard(1, 0, 1)
    assert last_number(empty) == empty.get_max_sequence_number()


@pytest.fixture
def _hasty() -> Iterator[None]:
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_hasty")
def test_writers_that_overlap_lose_nothing() -> None:
    """Each record has a number of its own, and comes back as the caller of moto's method expects."""
    shard = Shard(0, 0, 2**128 - 1)
    put = one_at_a_time(shard.put_record)
    with ThreadPoolExecutor(4) as writers:
        numbers = list(writers.map(lambda number: put("key", f"{number}", ""), range(2_000)))
    assert {int(number) for number in numbers} == set(range(1, 2_001))
    assert len(shard.records) == 2_000
