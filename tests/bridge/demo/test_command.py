import json
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import demo as command
from bridge.cli.main import main
from bridge.demo import embedded_kinesis
from bridge.demo.direction import kafka_to_kinesis, kinesis_to_kafka
from bridge.demo.live_mirror import stream_into_topic, topic_into_stream
from bridge.demo.result import DemoResult
from bridge.demo.workload import Workload
from bridge.parity.report import Difference, Found, Identity, Kind, ParityReport

EQUAL = DemoResult(
    payload_bytes=4_200_000,
    elapsed_s=4.0,
    latency_p50_s=0.0304,
    latency_p99_s=0.25,
    parity=ParityReport(20_000, 20_000, {kind: Difference() for kind in Kind}, keys=500),
)
LOST = replace(
    EQUAL,
    parity=ParityReport(
        20_000,
        19_999,
        {**EQUAL.parity.differences, Kind.MISSING: Difference(1, (Found(Identity("shard-0", "7")),))},
        keys=500,
    ),
)


class Performance:
    """Takes the place of a whole demo, and ends with what the test wants."""

    def __init__(self) -> None:
        self.result = EQUAL
        self.asked: Workload | None = None
        self.folder: Path | None = None
        self.parts: tuple[object, object] | None = None

    async def __call__(
        self, direction: object, workload: Workload, mirroring: object, folder: Path, display: Any
    ) -> DemoResult:
        self.asked, self.folder, self.parts = workload, folder, (direction, mirroring)
        display.phase("mirroring")
        display.progress(workload.records, workload.records)
        return self.result


@pytest.fixture
def performance(monkeypatch: pytest.MonkeyPatch) -> Performance:
    performance = Performance()
    monkeypatch.setattr(command, "perform", performance)
    monkeypatch.setattr(command, "configure_logging", lambda *_: None)
    return performance


def leave(*arguments: str) -> int:
    """Run the command and return the exit code."""
    with pytest.raises(SystemExit) as end:
        main(["demo", *arguments])
    code = end.value.code
    return code if isinstance(code, int) else 0


def test_parity_exits_0_with_a_table(performance: Performance, capsys: pytest.CaptureFixture[str]) -> None:
    """The end of a demo says how much, how fast and whether it is proved, on stdout."""
    assert leave() == 0
    rows = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert rows["records"] == "20,000 of 20,000"
    assert rows["MB"] == "4.2"
    assert rows["records/s"] == "5,000"
    assert rows["latency p50"] == "30 ms"
    assert rows["latency p99"] == "250 ms"
    assert rows["keys checked"] == "500"
    assert rows["verdict"] == "equal: same records, same order of every key"


def test_no_parity_exits_1_and_names_the_records(performance: Performance, capsys: pytest.CaptureFixture[str]) -> None:
    """A lost record fails the demo and is named."""
    performance.result = LOST
    assert leave() == 1
    output = capsys.readouterr().out
    assert "verdict\tDIFFERENT" in output
    assert "missing\t1\tshard-0/7" in output


@pytest.mark.parametrize(("result", "code", "verdict"), [(EQUAL, 0, "equal"), (LOST, 1, "different")])
def test_json_is_one_document_with_the_same_exit_code(
    performance: Performance, capsys: pytest.CaptureFixture[str], result: DemoResult, code: int, verdict: str
) -> None:
    """Machines get everything that the table shows, and nothing else on stdout."""
    performance.result = result
    assert leave("--json") == code
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == verdict
    assert document["records"] == result.parity.sink_records
    assert document["keys"] == 500
    assert document["parity"]["equal"] is (code == 0)


def test_the_size_can_be_chosen_and_nothing_stays_behind(performance: Performance) -> None:
    """Options reach the workload, and the folder of the checkpoints is gone afterwards."""
    assert leave("--records", "50", "--keys", "5", "--from", "kinesis") == 0
    assert performance.asked == Workload(50, 5)
    assert performance.folder is not None
    assert not performance.folder.exists()


def test_both_directions_are_shown(performance: Performance, capsys: pytest.CaptureFixture[str]) -> None:
    """The table says which."""
    assert leave("--from", "kinesis") == 0
    assert capsys.readouterr().out.startswith("Kinesis to Kafka\t")
    assert performance.parts == (kinesis_to_kafka, stream_into_topic)
    assert leave("--from", "kafka") == 0
    assert capsys.readouterr().out.startswith("Kafka to Kinesis\t")
    assert performance.parts == (kafka_to_kinesis, topic_into_stream)


@pytest.mark.parametrize("arguments", [("--from", "mysql"), ("--records", "0"), ("--keys", "0")])
def test_wrong_options_exit_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is refused before anything is started."""
    assert leave(*arguments) == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_missing_extra_is_one_line_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who installed the product alone learns what the demo needs."""

    def nothing_found(_: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(embedded_kinesis, "find_spec", nothing_found)
    assert leave() == 2
    error = capsys.readouterr().err
    assert "pip install 'kmbridge[demo]'" in error
    assert len(error.splitlines()) == 1
