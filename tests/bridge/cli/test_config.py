"""kmbridge config: check, schema, example."""

import json
from pathlib import Path

import pytest

from tests.bridge.cli.called import call
from tests.bridge.test_config_mistakes import VALID


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "o.yaml"
    path.write_text(VALID)
    return path


def test_a_valid_configuration_is_called_valid(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """With its ends, so that the wrong file is noticed."""
    called = call(capsys, "config", "check", file)
    assert called.code == 0
    assert called.out == "valid: mirror orders, Kinesis stream orders to Kafka topic orders\n"


def test_mistakes_exit_2_with_file_line_and_key(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """All of them, without a traceback, and nothing on stdout."""
    file.write_text(VALID + "on_gapp: stop\nhttp: 1\n")
    called = call(capsys, "config", "check", file)
    assert called.code == 2
    assert called.out == ""
    assert called.err == (
        f"error: {file}:8: on_gapp: unknown key; did you mean on_gap?\n"
        f"{file}:9: http: found 1; allowed: a section with the keys listen, token\n"
    )


def test_mistakes_are_told_as_json(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """For editors and pipelines: one document, still exit 2."""
    file.write_text(VALID + "on_gapp: stop\n")
    called = call(capsys, "config", "check", file, "--json")
    assert called.code == 2
    assert json.loads(called.out) == {
        "valid": False,
        "problems": [
            {
                "where": f"{file}:8",
                "line": 8,
                "key": "on_gapp",
                "message": "unknown key; did you mean on_gap?",
            }
        ],
    }


def test_options_are_checked_too(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """--name and --set are part of what would run."""
    assert json.loads(call(capsys, "config", "check", file, "--json", "--name", "mine").out)["name"] == "mine"
    called = call(capsys, "config", "check", file, "--name", "Mine")
    assert called.code == 2
    assert called.err.startswith('error: --name: found "Mine"; allowed: ')


def test_two_urls_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """In the place of a file."""
    called = call(capsys, "config", "check", "kinesis:///orders", "kafka://a:1/in")
    assert called.out == "valid: mirror orders-to-in, Kinesis stream orders to Kafka topic in\n"


def test_the_ends_of_every_pair_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Which system, and the name there."""
    called = call(capsys, "config", "check", "kafka://a:1/orders", "kinesis:///orders", "--name", "back")
    assert called.out == "valid: mirror back, Kafka topic orders to Kinesis stream orders\n"
    called = call(capsys, "config", "check", "kafka://a:1/orders", "kafka://b:1/orders", "--name", "copy")
    assert called.out == "valid: mirror copy, Kafka topic orders to Kafka topic orders\n"
    called = call(capsys, "config", "check", "kinesis://eu-west-1/a", "kinesis:///b", "--name", "copy")
    assert called.out == "valid: mirror copy, Kinesis stream a to Kinesis stream b\n"


def test_the_printed_example_passes_the_check(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """What is offered to start from works as it stands."""
    file.write_text(call(capsys, "config", "example").out)
    assert call(capsys, "config", "check", file).code == 0


def test_the_printed_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With the draft that it follows."""
    document = json.loads(call(capsys, "config", "schema").out)
    assert document["$schema"].startswith("https://json-schema.org/draft/")
    assert [each["additionalProperties"] for each in document["anyOf"]] == [False, False]
