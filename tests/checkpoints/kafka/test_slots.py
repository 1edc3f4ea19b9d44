import pytest

from checkpoints.kafka.fence import worker_of
from checkpoints.kafka.slots import slot_of


@pytest.mark.parametrize(
    ("partition", "slots", "slot"),
    [
        ("shardId-000000000000", 64, 0),
        ("shardId-000000000063", 64, 23),
        ("shardId-000000000064", 64, 0),
        ("shardId-000000012345", 64, 33),
        ("7", 4, 1),
        ("orders-7", 4, 1),
        ("a", 4, 1),
        ("a", 64, 59),
        ("abc", 64, 18),
        ("späť", 64, 51),
        ("\u0667", 64, 50),
        ("7\n", 64, 29),
    ],
)
def test_a_partition_has_the_slot_of_its_number(partition: str, slots: int, slot: int) -> None:
    """These never change: the checkpoints of every version are found there."""
    assert slot_of(partition, slots) == slot


def test_consecutive_shards_fill_all_slots_evenly() -> None:
    """As many shards as slots are one in each."""
    assert {slot_of(f"shardId-{number:012}", 64) for number in range(640, 704)} == set(range(64))


@pytest.mark.parametrize("workers", [2, 4])
def test_few_shards_are_spread_over_the_blocks_that_a_group_hands_out(workers: int) -> None:
    """Four shards are not all with one of two workers, nor two of them with one of four."""
    block = 64 // workers
    owners = [slot_of(f"shardId-{number:012}", 64) // block for number in range(4)]
    assert {owners.count(owner) for owner in range(workers)} == {4 // workers}


@pytest.mark.parametrize(
    ("writer", "worker"),
    [
        ("kmbridge-orders-3f2a-0", "kmbridge-orders-3f2a"),
        ("kmbridge-orders-3f2a-17", "kmbridge-orders-3f2a"),
        ("kmbridge-orders-3f2a", "kmbridge-orders-3f2a"),
        ("kmbridge-orders-7-0", "kmbridge-orders-7"),
    ],
)
def test_a_writer_belongs_to_the_worker_of_its_name(writer: str, worker: str) -> None:
    """Only the number behind the worker's id is left out."""
    assert worker_of(writer) == worker
