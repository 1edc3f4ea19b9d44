"""Whatever a mirror does wrong, ``kmbridge verify`` finds it, and nothing where there is nothing."""

from pathlib import Path

import pytest

from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.faulty_mirror import (
    Fault,
    alter_a_byte,
    alter_a_header,
    bring_one_from_elsewhere,
    double,
    fill,
    lose,
    lose_a_tombstone,
    mirror,
    swap_within_a_key,
)
from tests.support.verifying import verified, written

KEYS = 300
FAULTS: dict[str, tuple[Fault, dict[str, int]]] = {
    "missing": (lose, {"missing": 1}),
    "doubled": (double, {"doubled": 1}),
    "swapped": (swap_within_a_key, {"reordered": 1}),
    "byte": (alter_a_byte, {"altered": 1}),
    "header": (alter_a_header, {"altered": 1}),
    "elsewhere": (bring_one_from_elsewhere, {"extra": 1}),
    "tombstone": (lose_a_tombstone, {"missing": 1}),
}
EVERY = {"missing": 2, "doubled": 1, "reordered": 1, "altered": 2, "extra": 1}
CASES = [
    pytest.param([], {}, id="none"),
    *(pytest.param([fault], found, id=name) for name, (fault, found) in FAULTS.items()),
    pytest.param([fault for fault, _ in FAULTS.values()], EVERY, id="together"),
]
MB = 1_000_000


@pytest.fixture
def a_topic(kafka: str, topic: TopicFactory) -> TopicEnd:
    return TopicEnd(kafka, topic(4))


@pytest.fixture
def a_stream(kinesis: str, stream: StreamFactory) -> StreamEnd:
    return StreamEnd(kinesis, stream(4))


@pytest.fixture(params=["into-kafka", "into-kinesis"])
def ends(request: pytest.FixtureRequest, a_stream: StreamEnd, a_topic: TopicEnd) -> tuple[End, End]:
    """Source and sink."""
    return (a_stream, a_topic) if request.param == "into-kafka" else (a_topic, a_stream)


@pytest.mark.parametrize(("faults", "found"), CASES)
async def test_each_fault_is_found_and_nothing_else(
    ends: tuple[End, End], tmp_path: Path, faults: list[Fault], found: dict[str, int]
) -> None:
    """Alone and together, in both directions; a record that a stream holds twice is told, and is no error there."""
    await fill(ends[0], 2_000, KEYS)
    await mirror(*ends, faults)
    verdict = await verified(written(tmp_path, *ends))
    assert verdict.found == found, (verdict.printed, verdict.document)
    permitted = {"doubled"} if isinstance(ends[1], StreamEnd) else set()
    assert verdict.code == (1 if found.keys() - permitted else 0)
