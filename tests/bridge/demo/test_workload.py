import time

from bridge.demo.workload import Workload, sent_ns


def test_all_records_are_called_for_once_in_order() -> None:
    """The last call is as short as it must be."""
    calls = list(Workload(1_203, 7).calls(500))
    assert [len(call) for call in calls] == [500, 500, 203]
    assert [number for call in calls for number in call] == list(range(1_203))


def test_there_are_as_many_keys_as_asked_for() -> None:
    """Keys differ, and every key gets its share."""
    workload = Workload(1_000, 500)
    assert len({workload.key(number) for number in range(1_000)}) == 500


def test_a_record_tells_when_it_was_sent() -> None:
    """Latency is measured from the making of the value."""
    before = time.time_ns()
    value = Workload(10, 2).value(3)
    assert before <= sent_ns(value) <= time.time_ns()


def test_records_are_small_enough_for_the_embedded_kafka() -> None:
    """It drops the oldest beyond 5 MiB a partition: the default workload fits four partitions even uncompressed."""
    origin = 120
    assert 20_000 * (len(Workload(20_000, 500).value(19_999)) + origin) / 4 < 5 * 2**20 * 0.8
