"""Documents in the file of checkpoints."""

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from checkpoints.base import CheckpointError, StoreFormatError
from checkpoints.documents import Documents
from checkpoints.sqlite import database
from checkpoints.sqlite.documents import SqliteDocuments
from checkpoints.sqlite.store import SqliteCheckpoints
from tests.checkpoints.sqlite.test_store import FORMAT_1, SqliteStorage, execute
from tests.contracts.checkpoint_store import Storage, checkpoint
from tests.contracts.documents import NAME, TEXT, DocumentsContract, Place


class SqlitePlace(Place):
    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def storage(self) -> Storage:
        return SqliteStorage(self._path)

    def documents(self, mirror: str = "orders") -> Documents:
        return SqliteDocuments(self._path, mirror)

    @property
    def recipe(self) -> tuple[str, str]:
        imports = "from pathlib import Path\nfrom checkpoints.sqlite.documents import SqliteDocuments"
        return imports, f"SqliteDocuments(Path({str(self._path)!r}), 'orders')"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a name with % and ?.kmbridge.db"


class TestSqliteDocuments(DocumentsContract):
    @pytest.fixture
    def place(self, path: Path) -> Place:
        return SqlitePlace(path)


async def test_looking_leaves_the_directory_as_it_was(path: Path) -> None:
    """Looking for a document where there is none makes no file."""
    assert await SqliteDocuments(path, "orders").load(NAME) is None
    assert await asyncio.to_thread(os.listdir, path.parent) == []


async def test_a_file_of_an_older_version_stays_one_until_its_owner_works_on_it(path: Path) -> None:
    """Who saves a document beside a running older worker does not take its file away from it."""
    for statement in FORMAT_1:
        await asyncio.to_thread(execute, path, statement)
    saved = await SqliteDocuments(path, "orders").save(NAME, TEXT, None)
    assert await asyncio.to_thread(format_of, path) == 1
    async with SqliteCheckpoints(path, "orders") as store:
        assert (await store.load()).keys() == {"a"}
    assert await asyncio.to_thread(format_of, path) == 4
    assert await SqliteDocuments(path, "orders").load(NAME) == saved


def format_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        version: int = connection.execute("SELECT version FROM kmbridge_schema").fetchone()[0]
        return version


async def test_a_file_that_is_not_ours_or_of_a_newer_version_is_left_alone(path: Path) -> None:
    """A path given by mistake costs nobody a file."""
    await asyncio.to_thread(execute, path, "CREATE TABLE songs (title TEXT)")
    before = await asyncio.to_thread(path.read_bytes)
    with pytest.raises(StoreFormatError, match="another application's database"):
        await SqliteDocuments(path, "orders").save(NAME, TEXT, None)
    assert await asyncio.to_thread(path.read_bytes) == before


async def test_a_missing_directory_is_named_with_a_remedy(tmp_path: Path) -> None:
    """The error says which file, what happened and which setting decides."""
    path = tmp_path / "nowhere" / "orders.kmbridge.db"
    with pytest.raises(CheckpointError, match=r"nowhere.*unable to open.*checkpoints\.sqlite\.path"):
        await SqliteDocuments(path, "orders").save(NAME, TEXT, None)


async def test_a_mirror_that_starts_while_the_file_is_made_for_a_document_finds_it_complete(path: Path) -> None:
    """Whoever comes first makes the file; the other waits for it, and neither is refused."""
    for number in range(10):
        file = path.with_name(f"{number}.kmbridge.db")
        saving = asyncio.create_task(SqliteDocuments(file, "orders").save(NAME, TEXT, None))
        async with SqliteCheckpoints(file, "orders") as store:
            await store.save({"a": checkpoint("1")})
            saved = await saving
            assert await store.load() == {"a": checkpoint("1")}
        assert await SqliteDocuments(file, "orders").load(NAME) == saved


async def test_a_file_that_another_is_making_at_the_moment_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses at once what would wait in vain if both waited."""
    another = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    another.execute("BEGIN IMMEDIATE")
    waited: list[float] = []

    def goes_on(seconds: float) -> None:
        waited.append(seconds)
        another.execute("COMMIT")
        another.close()

    monkeypatch.setattr(database, "time", SimpleNamespace(monotonic=time.monotonic, sleep=goes_on))
    saved = await SqliteDocuments(path, "orders").save(NAME, TEXT, None)
    assert len(waited) == 1
    assert await SqliteDocuments(path, "orders").load(NAME) == saved
