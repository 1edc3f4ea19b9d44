import asyncio
import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from checkpoints.base import (
    Checkpoint,
    CheckpointError,
    CheckpointReader,
    CheckpointStore,
    StoreBusyError,
    StoreFormatError,
    StoreSettingsError,
)
from checkpoints.sqlite.database import explained
from checkpoints.sqlite.store import SqliteCheckpoints, SqliteReader, default_path
from tests.contracts.checkpoint_store import BOUND, GAP, CheckpointStoreContract, Storage, checkpoint

SAVE_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from checkpoints.base import Checkpoint
from checkpoints.sqlite.store import SqliteCheckpoints

async def main():
    async with SqliteCheckpoints(Path(sys.argv[1]), "orders") as store:
        number = 0
        while True:
            number += 1
            same = Checkpoint(str(number), None, False, number, "", "")
            await store.save({"a": same, "b": same})
            print(number, flush=True)

asyncio.run(main())
"""


# Statements that made such a file, and a row as that version wrote it.
_TABLE_1 = (
    "CREATE TABLE checkpoint (mirror TEXT NOT NULL, partition TEXT NOT NULL, position TEXT, watermark_ms INTEGER, "
    "finished INTEGER NOT NULL, saved_ms INTEGER NOT NULL, source TEXT NOT NULL, sink TEXT NOT NULL, "
    "gaps TEXT NOT NULL, PRIMARY KEY (mirror, partition)) WITHOUT ROWID"
)
_GAPS_1 = msgspec.json.encode((GAP,)).decode()
FORMAT_1 = (
    "CREATE TABLE kmbridge_schema (version INTEGER NOT NULL)",
    _TABLE_1,
    "INSERT INTO kmbridge_schema VALUES (1)",
    f"INSERT INTO checkpoint VALUES ('orders', 'a', '17#2', 5, 1, 7, 's@1', 't@1', '{_GAPS_1}')",
)
FORMAT_2 = (
    *FORMAT_1,
    "ALTER TABLE checkpoint ADD COLUMN unsettled_ms INTEGER",
    "ALTER TABLE checkpoint ADD COLUMN window TEXT NOT NULL DEFAULT ''",
    "UPDATE kmbridge_schema SET version = 2",
)
FORMAT_3 = (
    *FORMAT_2,
    "ALTER TABLE checkpoint ADD COLUMN bound TEXT NOT NULL DEFAULT 'null'",
    "UPDATE kmbridge_schema SET version = 3",
)


class SqliteStorage(Storage):
    def __init__(self, path: Path) -> None:
        self.path = path

    def store(self, mirror: str = "orders") -> CheckpointStore:
        return SqliteCheckpoints(self.path, mirror)

    def reader(self, mirror: str = "orders") -> CheckpointReader:
        return SqliteReader(self.path, mirror)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a name with % and ?.kmbridge.db"


class TestSqliteCheckpoints(CheckpointStoreContract):
    @pytest.fixture
    def storage(self, path: Path) -> Storage:
        return SqliteStorage(path)


class Saver:
    """Another process which saves without end until it is killed."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid

    def wait_for(self, saves: int) -> None:
        assert self._process.stdout is not None
        for _ in range(saves):
            assert self._process.stdout.readline()

    def kill(self) -> int:
        """The number of the last save that had returned."""
        self._process.kill()
        output, _ = self._process.communicate()
        finished = [line for line in output.splitlines(keepends=True) if line.endswith("\n")]
        return int(finished[-1]) if finished else 0


@pytest.mark.parametrize("saves", [1, 7, 50])
async def test_what_a_save_returned_for_survives_kill_9(path: Path, saves: int) -> None:
    """A process killed between or within saves leaves the last finished one or the next, whole, and no lock."""
    saver = await asyncio.to_thread(Saver, path)
    await asyncio.to_thread(saver.wait_for, saves)
    returned = max(saves, await asyncio.to_thread(saver.kill))
    read = await SqliteReader(path, "orders").load()
    async with SqliteCheckpoints(path, "orders") as store:
        found = await store.load()
    assert found == read
    assert found["a"] == found["b"]
    assert int(found["a"].position or 0) in (returned, returned + 1)


async def test_a_second_process_is_refused_with_the_owners_id_and_the_file(path: Path) -> None:
    """Who is refused learns which process to stop, and a reader is not refused."""
    saver = await asyncio.to_thread(Saver, path)
    try:
        await asyncio.to_thread(saver.wait_for, 1)
        with pytest.raises(StoreBusyError) as refusal:
            async with SqliteCheckpoints(path, "orders"):
                pass
        assert (await SqliteReader(path, "orders").load()).keys() == {"a", "b"}
        await asyncio.to_thread(saver.wait_for, 1)
    finally:
        await asyncio.to_thread(saver.kill)
    assert f"process {saver.pid}" in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert not refusal.value.retriable


async def test_a_reader_leaves_the_directory_as_it_was(path: Path) -> None:
    """Looking for checkpoints where there are none makes no file."""
    assert await SqliteReader(path, "orders").load() == {}
    assert await asyncio.to_thread(os.listdir, path.parent) == []


async def test_a_reader_does_not_need_the_owner_to_be_gone_or_there(path: Path) -> None:
    """The same checkpoints are read while they are owned and afterwards."""
    async with SqliteCheckpoints(path, "orders") as store:
        await store.save({"a": checkpoint("1")})
        beside = await SqliteReader(path, "orders").load()
    assert beside == await SqliteReader(path, "orders").load() == {"a": checkpoint("1")}


async def test_a_missing_directory_is_named_with_a_remedy(tmp_path: Path) -> None:
    """The error says which file, what is missing and which setting decides: it is the configuration's."""
    path = tmp_path / "nowhere" / "orders.kmbridge.db"
    with pytest.raises(StoreSettingsError, match=r"nowhere.*there is no folder.*checkpoints\.sqlite\.path"):
        async with SqliteCheckpoints(path, "orders"):
            pass


async def test_a_directory_in_the_files_place_is_named_with_a_remedy(tmp_path: Path) -> None:
    """SQLite's own refusals are explained as well as the operating system's."""
    for attempt in (SqliteCheckpoints(tmp_path, "orders").__aenter__, SqliteReader(tmp_path, "orders").load):
        with pytest.raises(CheckpointError, match=r"checkpoints\.sqlite\.path") as error:
            await attempt()
        assert str(tmp_path) in str(error.value)
    assert not await asyncio.to_thread(tmp_path.with_name(f"{tmp_path.name}.lock").exists)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EACCES, "able to write there"), (errno.EROFS, "able to write there"), (errno.ENOSPC, "free space")],
)
def test_what_the_operating_system_refuses_is_named_with_a_remedy(path: Path, number: int, remedy: str) -> None:
    """Permissions, a read-only file system and a full disk each tell what to do."""
    with pytest.raises(CheckpointError, match=remedy) as error, explained("open", path):
        raise OSError(number, os.strerror(number))
    assert str(path) in str(error.value)


async def test_a_full_disk_fails_the_save_and_keeps_what_was_there(path: Path) -> None:
    """A save that finds no room writes nothing, says where, may be tried again, and the next one that fits works."""
    async with SqliteCheckpoints(path, "orders") as store:
        await store.save({"a": checkpoint("1")})
        await limit_pages(store, 8)
        with pytest.raises(CheckpointError, match="free space") as error:
            await store.save({str(number): checkpoint("9" * 500) for number in range(500)})
        assert str(path) in str(error.value)
        assert error.value.retriable
        assert await store.load() == {"a": checkpoint("1")}
        await limit_pages(store, 1_000_000)
        await store.save({"b": checkpoint("2")})
        assert await store.load() == {"a": checkpoint("1"), "b": checkpoint("2")}


async def limit_pages(store: SqliteCheckpoints, count: int) -> None:
    """Stands in for a disk with so much room: SQLite reports both with the same code."""
    await store._entered().run(lambda file: file.execute(f"PRAGMA max_page_count = {count}").fetchall())


async def refused_as_foreign(path: Path) -> str:
    await asyncio.to_thread(path.with_name(f"{path.name}.lock").unlink, missing_ok=True)
    before = await asyncio.to_thread(path.read_bytes)
    with pytest.raises(StoreFormatError) as by_store:
        async with SqliteCheckpoints(path, "orders"):
            pass
    assert await asyncio.to_thread(os.listdir, path.parent) == [path.name]
    with pytest.raises(StoreFormatError):
        await SqliteReader(path, "orders").load()
    assert await asyncio.to_thread(path.read_bytes) == before
    return str(by_store.value)


async def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    """A path given by mistake costs nobody a file."""
    await asyncio.to_thread(path.write_text, "name: orders\n" * 400)
    assert "not a file of checkpoints" in await refused_as_foreign(path)


async def test_another_applications_database_is_refused_and_left_alone(path: Path) -> None:
    """Nothing is added to a database which is not ours."""
    await asyncio.to_thread(execute, path, "CREATE TABLE songs (title TEXT)")
    assert "another application's database" in await refused_as_foreign(path)
    await asyncio.to_thread(execute, path, "PRAGMA journal_mode = WAL")
    assert "another application's database" in await refused_as_foreign(path)


@pytest.mark.parametrize("statements", [FORMAT_1, FORMAT_2, FORMAT_3], ids=["1", "2", "3"])
async def test_a_file_of_an_older_version_is_read_as_it_is_and_then_written_in_this_one(
    path: Path, statements: Sequence[str]
) -> None:
    """An upgrade keeps the checkpoints; a reader changes nothing."""
    for statement in statements:
        await asyncio.to_thread(execute, path, statement)
    old = Checkpoint("17#2", 5, finished=True, saved_ms=7, source="s@1", sink="t@1", gaps=(GAP,))
    before = await asyncio.to_thread(path.read_bytes)
    assert await SqliteReader(path, "orders").load() == {"a": old}
    assert await asyncio.to_thread(path.read_bytes) == before
    new = replace(old, unsettled_ms=9, window="w", bound=BOUND, paused_ms=11)
    async with SqliteCheckpoints(path, "orders") as store:
        assert await store.load() == {"a": old}
        await store.save({"b": new})
    assert await SqliteReader(path, "orders").load() == {"a": old, "b": new}


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    """An older version does not touch what it cannot understand, and says what to upgrade."""
    async with SqliteCheckpoints(path, "orders") as store:
        await store.save({"a": checkpoint("1")})
    await asyncio.to_thread(execute, path, "UPDATE kmbridge_schema SET version = 5")
    assert "format 5" in await refused_as_foreign(path)


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


async def test_entering_that_is_cancelled_gives_the_file_up(path: Path) -> None:
    """Nobody owns what nobody waited for."""
    entering = asyncio.create_task(SqliteCheckpoints(path, "orders").__aenter__())
    await asyncio.sleep(0)
    entering.cancel()
    await asyncio.gather(entering, return_exceptions=True)
    async with asyncio.timeout(30):
        while not await can_be_owned(path):
            pass


async def can_be_owned(path: Path) -> bool:
    try:
        async with SqliteCheckpoints(path, "orders"):
            return True
    except StoreBusyError:
        return False


def test_the_file_of_a_mirror_is_in_the_working_directory_under_its_name() -> None:
    """The place is the documented one."""
    assert default_path("orders") == Path("orders.kmbridge.db")
