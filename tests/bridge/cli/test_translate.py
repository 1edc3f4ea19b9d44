"""``kmbridge translate``: what it is asked, what it prints, and how it exits."""

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.cli.main import main
from bridge.config import Configuration
from bridge.migration.translation import translating
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.request import Direction, TranslateRequest
from tests.bridge.cli.called import Called, call
from tests.bridge.migration.translation.test_report import REPORT

ENDS = ("kinesis://eu-west-1/orders", "kafka://localhost:9092/orders")
MOVE = ("--from-kcl", "orders-app", "--to-group", "orders")


class Answers:
    """In place of the library: notes what it is asked, and gives ``report``."""

    def __init__(self, report: TranslateReport) -> None:
        self.report = report
        self.asked: list[TranslateRequest] = []

    async def translate(self, configuration: Configuration, request: TranslateRequest) -> TranslateReport:
        assert configuration.sink.kafka is not None
        self.asked.append(request)
        return self.report


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    answers = Answers(REPORT)
    monkeypatch.setattr(translating, "translate", answers.translate)
    return answers


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Called:
    """As ``call``, of a command that comes to an end without an error."""
    main_code = 0
    try:
        main(["translate", *ENDS, *arguments])
    except SystemExit as left:
        main_code = int(left.code or 0)
    found = capsys.readouterr()
    return Called(main_code, found.out, found.err)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--from-kcl", "app"),
        ("--to-group", "group"),
        ("--from-kcl", "app", "--to-kcl", "other"),
        (*MOVE, "--from-group", "group", "--to-kcl", "app"),
        (*MOVE, "--initial-position", "now"),
        (*MOVE, "--initial-position", "shardId-000000000000/1"),
        (*MOVE, "--failover-time", "10"),
        (*MOVE, "--back", "nowhere.yaml"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(capsys: pytest.CaptureFixture[str], options: tuple[str, ...]) -> None:
    """Nothing is reached before it is clear who moves where."""
    called = call(capsys, "translate", *ENDS, *options)
    assert (called.code, called.out) == (2, "")


@pytest.mark.parametrize(
    ("ends", "more"),
    [
        (("kafka://localhost:9092/orders", "kafka://localhost:9093/orders"), ()),
        (("kinesis://eu-west-1/orders", "kinesis://eu-west-1/others"), ()),
        (("kafka://localhost:9092/orders", "kinesis://eu-west-1/orders"), ("--set", "sink.kinesis.codec=raw")),
        (ENDS, ("--set", "provenance=never")),
        (ENDS, ("--set", "source.kinesis.deaggregate=never")),
    ],
)
def test_mirrors_whose_records_cannot_be_traced_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], ends: tuple[str, str], more: tuple[str, ...]
) -> None:
    """It takes a stream and a topic, and records that carry where they come from."""
    called = call(capsys, "translate", *ends, *MOVE, *more)
    assert (called.code, called.out) == (2, "")
    assert "error: translate: " in called.err


def written(folder: Path, source: str, sink: str) -> str:
    """A configuration of a mirror from a topic to a stream."""
    path = folder / "back.yaml"
    path.write_text(
        f"name: orders-reverse\nsource: {{kafka: {{bootstrap_servers: localhost:9092, topic: {source}}}}}\n"
        f"sink: {{kinesis: {{region: eu-west-1, stream: {sink}}}}}\n"
    )
    return str(path)


@pytest.mark.parametrize("ends", [("orders", "others"), ("others", "orders")])
def test_a_mirror_that_leads_elsewhere_is_no_mirror_back(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, ends: tuple[str, str]
) -> None:
    """What it has carried tells nothing of these sides."""
    called = call(capsys, "translate", *ENDS, *MOVE, "--back", written(tmp_path, *ends))
    assert (called.code, called.out) == (2, "")
    assert "no mirror back" in called.err
    assert "name the one that leads from Kafka topic orders to Kinesis stream orders" in called.err


def test_a_mirror_back_is_told_of(capsys: pytest.CaptureFixture[str], answers: Answers, tmp_path: Path) -> None:
    """By its configuration, as it is run with."""
    printed(capsys, *MOVE, "--back", written(tmp_path, "orders", "orders"))
    told = answers.asked[0].mirror_back
    assert (told is not None and told.name) == "orders-reverse"


def test_a_dry_run_prints_the_table_and_exits_1_for_a_gap(capsys: pytest.CaptureFixture[str], answers: Answers) -> None:
    """What is lost, and what makes it approximate, is said; so is that nothing is changed."""
    told = printed(capsys, *MOVE)
    assert told.code == 1
    assert "0\t17\t3\t2" in told.out
    assert "lost: shardId-000000000000 from 1 to 2: it begins behind it" in told.out
    assert "approximate: shardId-000000000000: lease counter 1 -> 2 (by worker-1)" in told.out
    assert "3 records will be seen again; nothing is changed; --apply sets it" in told.out
    assert answers.asked == [TranslateRequest(Direction.TO_GROUP, "orders-app", "orders")]


def test_what_is_set_exits_0(capsys: pytest.CaptureFixture[str], answers: Answers) -> None:
    """Also with a gap, which was accepted before."""
    answers.report = replace(REPORT, is_applied=True)
    told = printed(capsys, *MOVE, "--apply", "--json")
    assert (told.code, '"is_applied": true' in told.out) == (0, True)
    assert answers.asked[0].apply
