import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bridge.telemetry.logging import SECRET, LogFormat, configure_logging


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def last(stream: io.StringIO) -> dict[str, object]:
    document: dict[str, object] = json.loads(stream.getvalue().splitlines()[-1])
    return document


def test_both_kinds_of_loggers_give_the_same_json_lines() -> None:
    """A connector that logs by the standard library looks as one that logs by structlog."""
    stream = io.StringIO()
    configure_logging(LogFormat.AUTO, "info", stream)
    structlog.get_logger("connectors.kinesis").warning("throttled", shard="shardId-0", wait_s=0.5)
    by_structlog = last(stream)
    logging.getLogger("connectors.kinesis").warning("throttled", extra={"shard": "shardId-0", "wait_s": 0.5})
    by_standard = last(stream)
    assert by_structlog.pop("time")
    assert by_standard.pop("time")
    assert by_structlog == by_standard
    assert by_structlog == {
        "event": "throttled",
        "level": "warning",
        "logger": "connectors.kinesis",
        "shard": "shardId-0",
        "wait_s": 0.5,
    }


def test_a_terminal_gets_lines_for_people_and_everything_else_json() -> None:
    """The automatic format looks at where the lines go."""
    terminal, file = Terminal(), io.StringIO()
    configure_logging(LogFormat.AUTO, "info", terminal)
    structlog.get_logger().info("lane started")
    configure_logging(LogFormat.AUTO, "info", file)
    structlog.get_logger().info("lane started")
    assert "lane started" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert last(file)["event"] == "lane started"


def test_the_format_can_be_chosen_against_the_terminal() -> None:
    """JSON on a terminal, console in a file: what is asked for wins."""
    terminal, file = Terminal(), io.StringIO()
    configure_logging(LogFormat.JSON, "info", terminal)
    structlog.get_logger().info("lane started")
    configure_logging(LogFormat.CONSOLE, "info", file)
    structlog.get_logger().info("lane started")
    assert last(terminal)["event"] == "lane started"
    assert "\x1b" not in file.getvalue()
    assert not file.getvalue().startswith("{")


def test_lines_below_the_level_are_not_written() -> None:
    """The level holds for both kinds of loggers."""
    stream = io.StringIO()
    configure_logging(LogFormat.JSON, "warning", stream)
    structlog.get_logger("a").info("quiet")
    logging.getLogger("b").info("quiet")
    assert stream.getvalue() == ""


def test_libraries_do_not_talk_about_themselves() -> None:
    """Debugging the mirror does not bring requests with their signatures into the log."""
    stream = io.StringIO()
    configure_logging(LogFormat.JSON, "debug", stream)
    logging.getLogger("botocore.auth").debug("signature")
    logging.getLogger("httpx2").info("request")
    logging.getLogger("httpcore2.http11").debug("headers")
    assert stream.getvalue() == ""


def test_secrets_never_reach_a_line() -> None:
    """What is named as a secret is masked at any depth, whichever logger it came by."""
    stream = io.StringIO()
    configure_logging(LogFormat.JSON, "info", stream)
    secret = "hunter2"
    structlog.get_logger().info("connecting", config={"sasl.password": secret, "list": [{"aws_secret_key": secret}]})
    logging.getLogger("x").info("connecting", extra={"session_token": secret})
    assert secret not in stream.getvalue()
    assert stream.getvalue().count(SECRET) == 3


def test_an_exception_is_written_with_its_trace() -> None:
    """An unexpected failure can be found by its log line, in both formats."""
    for log_format in (LogFormat.JSON, LogFormat.CONSOLE):
        stream = io.StringIO()
        configure_logging(log_format, "info", stream)
        try:
            int("why")
        except ValueError:
            structlog.get_logger().exception("failed")
        assert "ValueError: invalid literal for int() with base 10: 'why'" in stream.getvalue()
