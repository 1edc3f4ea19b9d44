from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.demo import course
from bridge.demo.course import Mirroring, perform
from bridge.demo.direction import Direction, kafka_to_kinesis, kinesis_to_kafka
from bridge.demo.workload import Workload
from bridge.parity.report import Kind
from tests.bridge.demo.copier import Copied, Fault, stream_copier, topic_copier

RECORDS = 120
KEYS = 8
WORKLOAD = Workload(RECORDS, KEYS)


Copier = Callable[[int, Fault], Mirroring]
both_ways = pytest.mark.parametrize(
    ("direction", "copier"),
    [(kinesis_to_kafka, stream_copier), (kafka_to_kinesis, topic_copier)],
    ids=["from Kinesis", "from Kafka"],
)


class Silence:
    """Shows nothing, and notes how far the demo said to be."""

    def __init__(self) -> None:
        self.furthest = (0, 0)

    def phase(self, text: str) -> None:
        assert text

    def progress(self, written: int, arrived: int) -> None:
        self.furthest = (written, arrived)


def no_fault(copied: list[Copied]) -> None:
    assert len(copied) == RECORDS


def every_fault(copied: list[Copied]) -> None:
    """The records of the last key of the workload reversed, and of others one lost, one doubled, one altered."""
    reversed_key = copied[-1].key
    copied.sort(key=lambda record: record.key == reversed_key)
    whole = next(number for number, record in enumerate(copied) if record.key == reversed_key)
    copied[whole:] = reversed(copied[whole:])
    copied[0].value = copied[0].value.replace(b"Harbour", b"harbour")
    copied.insert(3, copied[2])
    del copied[5]


@pytest.fixture(autouse=True)
def _short_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost record is waited for this long; whether one is lost does not depend on it."""
    monkeypatch.setattr(course, "QUIET_S", 2.0)


@both_ways
async def test_a_faithful_mirror_is_proved_equal(tmp_path: Path, direction: Direction, copier: Copier) -> None:
    """Every record and every key is compared, and what the table shows is what happened."""
    display = Silence()
    result = await perform(direction, WORKLOAD, copier(RECORDS, no_fault), tmp_path, display)
    assert result.parity.equal
    assert (result.parity.source_records, result.parity.sink_records, result.parity.keys) == (RECORDS, RECORDS, KEYS)
    assert display.furthest == (RECORDS, RECORDS)
    assert result.payload_bytes > RECORDS * 100
    assert 0 < result.latency_p50_s <= result.latency_p99_s
    assert result.records_per_second > 0


@both_ways
async def test_an_unfaithful_mirror_is_found_out(tmp_path: Path, direction: Direction, copier: Copier) -> None:
    """The proof is made from what the two servers hold: what a mirror believes plays no part."""
    result = await perform(direction, WORKLOAD, copier(RECORDS, every_fault), tmp_path, Silence())
    found = {kind: difference.count for kind, difference in result.parity.differences.items() if difference.count}
    in_wrong_order = found.pop(Kind.REORDERED)
    assert not result.parity.equal
    assert in_wrong_order == RECORDS // KEYS - 1
    assert found == {Kind.MISSING: 1, Kind.DOUBLED: 1, Kind.ALTERED: 1}


@both_ways
async def test_a_record_that_never_arrives_is_waited_for_and_then_missing(
    tmp_path: Path, direction: Direction, copier: Copier
) -> None:
    """The demo ends although the mirror never completes."""

    def lose_one(copied: list[Copied]) -> None:
        del copied[RECORDS // 2]

    result = await perform(direction, WORKLOAD, copier(RECORDS, lose_one), tmp_path, Silence())
    assert result.parity.differences[Kind.MISSING].count == 1
    assert result.parity.sink_records == RECORDS - 1
