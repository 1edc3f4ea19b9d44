"""Whatever a mirror does wrong, ``kmbridge verify`` finds it, and nothing where there is nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.codecs.catalogue import CodecName
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import Figure, StreamFactory, TopicFactory
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


ALONE = ["kinesis to kafka", "kafka to kinesis"]
TOGETHER = [("kafka to kafka", "kpl"), ("kinesis to kinesis", "kpl"), ("kafka to kinesis", "envelope")]
WAYS = [
    *(pytest.param(way, "kpl", *case.values, id=f"{way}-{case.id}") for way in ALONE for case in CASES),
    *(
        pytest.param(way, codec, *case.values, id=f"{way}-{codec}-{case.id}")
        for way, codec in TOGETHER
        for case in (CASES[0], CASES[-1])
    ),
]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two new ends, and what the second is written with."""

    source: End
    sink: End
    codec: CodecName

    async def fill(self, records: int, keys: int) -> None:
        await fill(self.source, records, keys)

    async def mirror(self, faults: list[Fault]) -> None:
        await mirror(self.source, self.sink, faults, self.codec)

    def written(self, folder: Path) -> Path:
        """The configuration of such a mirror."""
        section = {system: dict(end) for system, end in self.sink.section.items()}
        if isinstance(self.sink, StreamEnd):
            section["kinesis"]["codec"] = self.codec
        return written(folder, self.source, self.sink, {"sink": section})


MakePair = Callable[[str, CodecName], Pair]


@pytest.fixture
def pair(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> MakePair:
    def end(system: str) -> End:
        return StreamEnd(kinesis, stream(4)) if system == "kinesis" else TopicEnd(kafka, topic(4))

    def make(name: str, codec: CodecName) -> Pair:
        source, _, sink = name.partition(" to ")
        return Pair(end(source), end(sink), codec)

    return make


@pytest.mark.long
@pytest.mark.parametrize(("faults", "found"), [CASES[0], CASES[-1]])
@pytest.mark.parametrize("way", ALONE)
async def test_a_million_records_are_compared_in_little_memory(
    pair: MakePair, tmp_path: Path, figure: Figure, way: str, faults: list[Fault], found: dict[str, int]
) -> None:
    """All faults at once are found, and none where there is none; the process peaks below 200 MB."""
    ends = pair(way, "kpl")
    await ends.fill(1_000_000, 100_000)
    await ends.mirror(faults)
    verdict = await verified(ends.written(tmp_path))
    assert verdict.found == found, verdict.printed
    assert verdict.document["source_records"] == 1_000_000
    figure("verify", f"{verdict.peak / MB:.0f} MB, {verdict.cpu_s:.1f} s of CPU, {verdict.document['ranges']} ranges")
    assert verdict.peak < 200 * MB


@pytest.mark.parametrize(("way", "codec", "faults", "found"), WAYS)
async def test_each_fault_is_found_and_nothing_else(
    pair: MakePair, tmp_path: Path, way: str, codec: CodecName, faults: list[Fault], found: dict[str, int]
) -> None:
    """Alone in both directions, together between all systems; a record that a stream holds twice is no error there."""
    ends = pair(way, codec)
    await ends.fill(2_000, KEYS)
    await ends.mirror(faults)
    verdict = await verified(ends.written(tmp_path))
    assert verdict.found == found, (verdict.printed, verdict.document)
    permitted = {"doubled"} if verdict.document["differences"]["doubled"]["permitted"] else set()
    assert verdict.code == (1 if found.keys() - permitted else 0)
