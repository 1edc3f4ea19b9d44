"""Generated records repeat by seed and can be told apart after the journey."""

from tests.support.records import Stamp, generate, ids_by_key


def test_the_same_seed_gives_the_same_records() -> None:
    assert list(generate(100, 7, seed=3)) == list(generate(100, 7, seed=3))
    assert list(generate(100, 7, seed=3)) != list(generate(100, 7, seed=4))


def test_a_value_says_which_record_it_is() -> None:
    record = list(generate(50, 5, size=200))[-1]
    assert Stamp.of(record.value(sent_ns=123)) == Stamp(record.id, record.number, 123)
    assert len(record.value(sent_ns=123)) == 200


def test_numbers_count_within_a_key() -> None:
    records = list(generate(200, 4))
    for key in {record.key for record in records}:
        numbers = [record.number for record in records if record.key == key]
        assert numbers == list(range(len(numbers)))
    assert sum(map(len, ids_by_key(records).values())) == 200
