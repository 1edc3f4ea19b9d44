"""How many records are asked for, and what is reserved for them."""

from connectors.kinesis.reading.read_size import Average, ReadSize

KIB = 1024
MIB = 1024 * KIB


def _learned(read: int, memory: int, share: float = 1.0) -> ReadSize:
    """After two answers of records that take ``read`` and ``memory`` bytes each."""
    size = ReadSize(share, MIB, Average())
    size.learn(10, 10 * read, 10 * memory)
    size.learn(1_000, 1_000 * read, 1_000 * memory)
    return size


def test_compressed_records_are_read_as_fast_as_others() -> None:
    """The shard's limit concerns what it sends, not what becomes of it."""
    assert _learned(KIB, 4 * KIB).limit() == _learned(KIB, KIB).limit() == 1_024


def test_an_answer_takes_no_more_memory_than_the_largest_plain_one() -> None:
    """However much its records grow when they are taken apart."""
    size = _learned(KIB, 100 * KIB)
    assert size.limit() * 100 * KIB <= 10 * MIB
    assert size.limit() > 50


def test_memory_is_reserved_for_what_records_become() -> None:
    """With the part of the answer's body that stands beside them."""
    size = _learned(KIB, 4 * KIB)
    assert 4 * MIB <= size.expected(1_024) <= 5 * MIB


def test_a_record_that_becomes_huge_is_asked_for_alone() -> None:
    """And all that it takes is reserved."""
    size = _learned(64 * KIB, 64 * MIB)
    assert size.limit() == 1
    assert size.expected(1) >= 64 * MIB


def test_a_large_record_is_believed_at_once_and_forgotten_bit_by_bit() -> None:
    """Whichever of its two sizes is the large one."""
    size = _learned(KIB, KIB)
    size.learn(1, KIB, MIB)
    limits = [size.limit()]
    for _ in range(20):
        size.learn(1, KIB, KIB)
        limits.append(size.limit())
    assert limits[0] == 10
    assert limits == sorted(limits)
    assert limits[-1] > 500
