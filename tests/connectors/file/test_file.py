"""The file of JSON lines keeps the contract of sinks, and holds whole lines only."""

import base64
import errno
import fcntl
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import Clock, End, Partition, Place, Record, SettingsError, TransientError
from connectors.file.sink import FileSink
from connectors.file.source import FileSource
from tests.contracts.sink import SinkContract, Target, batch, series
from tests.support.waiting import eventually

LINE = {"partition": "lane", "position": "0", "timestamp_ms": 1, "key": None, "value": None, "headers": []}


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


@pytest.mark.parametrize("torn", [b"{", b'{"partition": "la' * 1_000, bytes(10_000)])
@pytest.mark.parametrize("before", [0, 2])
async def test_half_a_line_of_a_dead_process_is_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: int, torn: bytes
) -> None:
    """However long it is, the whole lines stay, and it is told; what comes later is read behind them."""
    path = tmp_path / "dead.jsonl"
    path.write_bytes((json.dumps(LINE).encode() + b"\n") * before + torn)
    target = FileTarget(path)
    async with target.sink:
        await (await target.sink.begin()).submit("lane", batch("lane", series("lane", 1)))
    assert [record.value for record in await target.written()] == [None] * before + series("lane", 1)
    assert "half a line at its end is removed" in caplog.text


async def test_half_a_line_of_another_process_is_never_glued_to(tmp_path: Path) -> None:
    """A redrive that dies in the middle of a line spoils nothing of what the mirror writes behind it."""
    target = FileTarget(tmp_path / "dead.jsonl")
    async with target.sink:
        scope = await target.sink.begin()
        await scope.submit("lane", batch("lane", series("lane", 1)))
        with (tmp_path / "dead.jsonl").open("ab") as other:
            other.write(b'{"partition": "la')
        await scope.submit("lane", batch("lane", series("lane", 1, 1), first=1))
    assert [record.value for record in await target.written()] == series("lane", 2)


async def test_what_another_process_is_writing_is_no_half_a_line(tmp_path: Path) -> None:
    """Whoever writes has the file alone: nothing is removed before that is over."""
    path = tmp_path / "dead.jsonl"
    target = FileTarget(path)
    async with target.sink:
        with path.open("ab", buffering=0) as other:
            line = json.dumps({**LINE, "value": "AA=="}).encode() + b"\n"
            fcntl.flock(other, fcntl.LOCK_EX)
            other.write(line[:10])
            answer = (await target.sink.begin()).submit("lane", batch("lane", series("lane", 1)))
            await eventually(partial(is_waited_for, path), "somebody waits for the file")
            other.write(line[10:])
            fcntl.flock(other, fcntl.LOCK_UN)
            await answer
    assert [record.value for record in await target.written()] == [b"\0", *series("lane", 1)]


async def test_whoever_reads_the_file_misses_nothing_behind_half_a_line(tmp_path: Path) -> None:
    """Positions stay those of whole lines: half a line is none, neither while it is there nor when it is gone."""
    path = tmp_path / "dead.jsonl"
    path.write_bytes(json.dumps(LINE).encode() + b'\n{"partition": "la')
    source, (letters,) = FileSource(path, Clock()), [Partition(path.name)]
    assert await source.ends([letters], None) == {letters.id: End("1")}
    async with aclosing(source.read(letters, Place(), ByteBudget(2**20))) as batches:
        assert (await anext(batches)).positions == ["1"]
        target = FileTarget(path)
        async with target.sink:
            await (await target.sink.begin()).submit("lane", batch("lane", series("lane", 1)))
        following = await anext(batches)
    assert (following.positions, following.values) == (["2"], series("lane", 1))


def is_waited_for(path: Path) -> bool:
    waiting = (each for each in Path("/proc/locks").read_text().splitlines() if " -> FLOCK" in each)
    return any(f":{path.stat().st_ino} " in each for each in waiting)


@pytest.mark.parametrize("path", ["nowhere/dead.jsonl", "file/dead.jsonl", "."])
async def test_a_missing_folder_is_a_wrong_setting(tmp_path: Path, path: str) -> None:
    """The error says which path cannot be opened, and which key names it."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"dead_letter\.file\.path") as raised:
        async with FileSink(tmp_path / path):
            pass
    assert str(tmp_path / path) in raised.value.operation
