"""Dead letters that a file holds."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bridge.parity.letter_file import read_letters
from connectors.base import Batch, ConnectorError, Partition, Place, Record
from connectors.file import source as file_source
from connectors.file.sink import FileSink

LINE: dict[str, Any] = {
    "partition": "0",
    "position": "7",
    "timestamp_ms": 5,
    "key": None,
    "value": "AA==",
    "headers": [["n", None]],
}


class Taking:
    """Remembers what it is handed."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def begin(self, partition: Partition) -> None:
        """It is one file."""

    def take(self, batch: Batch) -> None:
        self.batches.append(batch)

    def end(self, partition: Partition, place: Place) -> None:
        """It is one file."""


def taken(path: Path) -> list[Batch]:
    taking = Taking()
    asyncio.run(read_letters(path, taking))
    return taking.batches


def test_what_a_mirror_buried_is_read_as_it_was(tmp_path: Path) -> None:
    """Key, value, headers, nulls; half a line at the end is not there yet."""
    path = tmp_path / "letters.jsonl"
    record = Record("0", "7", b"\xff", None, 5, (("a", None), ("a", b"\x00")))

    async def bury() -> None:
        async with FileSink(path) as sink:
            scope = await sink.begin()
            headers = [record.headers]
            await scope.submit("0", Batch("0", Place("7"), ["7"], [record.key], [record.value], [5], headers))

    asyncio.run(bury())
    path.write_bytes(path.read_bytes() + b'{"partition": "0"')
    (batch,) = taken(path)
    assert (list(batch.keys), list(batch.values), list(batch.headers or ())) == ([b"\xff"], [None], [record.headers])


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ({**LINE, "key": 5}, "$.key"),
        ({name: each for name, each in LINE.items() if name != "value"}, "`value`"),
        ({**LINE, "headers": [["n"]]}, "$.headers[0]"),
        ({**LINE, "value": "!"}, "$.value"),
        ([1], "object"),
        ("text", "object"),
    ],
)
def test_a_line_that_is_no_letter_is_named(tmp_path: Path, line: object, cause: str) -> None:
    """The file, the line, and what is wrong with it."""
    path = tmp_path / "letters.jsonl"
    path.write_text(json.dumps(LINE) + "\n" + json.dumps(line) + "\n")
    with pytest.raises(ConnectorError) as raised:
        taken(path)
    assert str(path) in raised.value.operation
    assert "line 2" in raised.value.cause
    assert cause in raised.value.cause


def test_half_a_line_that_a_crash_left_is_named(tmp_path: Path) -> None:
    """Another process went on behind it, in a line of its own."""
    path = tmp_path / "letters.jsonl"
    path.write_text('{"partition": "0", "val\n' + json.dumps(LINE) + "\n")
    with pytest.raises(ConnectorError, match="line 1"):
        taken(path)


def test_letters_are_read_some_bytes_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However large a line is, few of them are in memory; none is left out."""
    monkeypatch.setattr(file_source, "BYTES_AT_ONCE", 1_000)
    path = tmp_path / "letters.jsonl"
    sizes = [10, 3_000, 10, 10, 900, 200, 10]
    path.write_text("".join(json.dumps({**LINE, "value": "AAAA" * (size // 3)}) + "\n" for size in sizes))
    batches = taken(path)
    assert [position for batch in batches for position in batch.positions] == [str(at) for at in range(1, 8)]
    assert max(sum(len(value or b"") for value in batch.values[:-1]) for batch in batches) < 1_000
