"""What a job's progress looks like on stderr."""

import io
import json

from rich.console import Console

from bridge.cli.progress import Bars, Lines
from bridge.jobs.progress import JobProgress, PartProgress


def _progress(partitions: int) -> JobProgress:
    parts = tuple(
        PartProgress(f"shardId-{number:012}", "copying", number / partitions, 1_000, 50.0, 4_000.0)
        for number in range(partitions)
    )
    return JobProgress(PartProgress("overall", "copying", 0.5, 1_000 * partitions, 1_234.5, 61.0), parts)


def test_without_a_terminal_each_look_is_one_json_line() -> None:
    """Read back as it was told."""
    stream = io.StringIO()
    Lines(stream).show(_progress(2))
    (line,) = stream.getvalue().splitlines()
    document = json.loads(line)
    assert document["event"] == "progress"
    assert document["records"] == 2_000
    assert [part["share"] for part in document["partitions"]] == [0.0, 0.5]


def test_on_a_terminal_there_is_a_bar_for_all_and_one_a_partition() -> None:
    """With rate and remaining time."""
    stream = io.StringIO()
    bars = Bars(Console(file=stream, force_terminal=True, width=120))
    bars.show(_progress(3))
    bars.close()
    shown = stream.getvalue()
    assert "overall" in shown
    assert "1,234/s" in shown
    assert "1:01 left" in shown
    assert "1:06:40 left" in shown
    assert "shardId-000000000002" in shown


def test_of_many_partitions_those_that_have_most_before_them_are_shown() -> None:
    """So that the terminal holds them."""
    stream = io.StringIO()
    bars = Bars(Console(file=stream, force_terminal=True, width=120, height=60))
    bars.show(_progress(300))
    bars.close()
    shown = stream.getvalue()
    assert "shardId-000000000019" in shown
    assert "shardId-000000000020" not in shown
