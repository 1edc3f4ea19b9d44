"""The file of JSON lines keeps the contract of sinks, and holds whole lines only."""

import base64
import errno
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from connectors.base import Record, RefusedError, TransientError
from connectors.file.sink import FileSink
from tests.contracts.sink import SinkContract, Target, batch, series


class FileTarget(Target):
    def __init__(self, path: Path) -> None:
        self._path = path
        self.sink = FileSink(path)

    async def written(self) -> Sequence[Record]:
        return [_record(line) for line in self._path.read_text().splitlines()]


def _record(line: str) -> Record:
    fields = json.loads(line)
    return Record(
        fields["partition"],
        fields["position"],
        _bytes(fields["key"]),
        _bytes(fields["value"]),
        fields["timestamp_ms"],
        tuple((name, _bytes(value)) for name, value in fields["headers"]),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


class TestFileSink(SinkContract):
    @pytest.fixture
    async def target(self, tmp_path: Path) -> AsyncIterator[Target]:
        target = FileTarget(tmp_path / "dead.jsonl")
        async with target.sink:
            yield target


async def test_a_second_run_appends(tmp_path: Path) -> None:
    """What an earlier process left is kept."""
    path = tmp_path / "dead.jsonl"
    for first in (0, 1):
        target = FileTarget(path)
        async with target.sink:
            await (await target.sink.begin()).submit("lane", batch("lane", series("lane", 1, first), first=first))
    assert [record.value for record in await FileTarget(path).written()] == series("lane", 2)


async def test_a_full_disk_leaves_whole_lines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails is reported as one to repeat, nothing of it stays, and the repetition stands once."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    target = FileTarget(tmp_path / "dead.jsonl")
    async with target.sink:
        scope = await target.sink.begin()
        await scope.submit("lane", batch("lane", series("lane", 2)))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(TransientError, match="no space left"):
                await scope.submit("lane", batch("lane", series("lane", 2, 2), first=2))
        with pytest.raises(TransientError, match="earlier write"):
            await scope.submit("lane", batch("lane", series("lane", 2, 4), first=4))
        scope = await target.sink.begin()
        await scope.submit("lane", batch("lane", series("lane", 2, 2), first=2))
    assert [record.value for record in await target.written()] == series("lane", 4)


async def test_half_a_line_of_a_dead_process_spoils_no_other(tmp_path: Path) -> None:
    """What was cut off has a line of its own; those written later are whole."""
    path = tmp_path / "dead.jsonl"
    path.write_bytes(b'{"partition": "la')
    target = FileTarget(path)
    async with target.sink:
        await (await target.sink.begin()).submit("lane", batch("lane", series("lane", 1)))
    torn, line = path.read_text().splitlines()
    assert torn == '{"partition": "la'
    assert _record(line).value == series("lane", 1)[0]


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says which path cannot be opened."""
    with pytest.raises(RefusedError, match=r"nowhere/dead\.jsonl"):
        async with FileSink(tmp_path / "nowhere" / "dead.jsonl"):
            pass
