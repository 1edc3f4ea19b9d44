"""The file of checkpoints, read and written in the calling thread."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from errno import ENOSPC
from itertools import chain
from pathlib import Path

import msgspec

from checkpoints.base import Bound, Checkpoint, CheckpointError, Gap, StoreFormatError

SCHEMA_VERSION = 4
BUSY_TIMEOUT_S = 10.0
"""How long to wait for other programs that look into the file, an interactive sqlite3 for example."""
_AGAIN_S = 0.01

_TABLES = (
    "CREATE TABLE kmbridge_schema (version INTEGER NOT NULL)",
    """CREATE TABLE checkpoint (
        mirror TEXT NOT NULL,
        partition TEXT NOT NULL,
        position TEXT,
        watermark_ms INTEGER,
        finished INTEGER NOT NULL,
        saved_ms INTEGER NOT NULL,
        source TEXT NOT NULL,
        sink TEXT NOT NULL,
        gaps TEXT NOT NULL,
        unsettled_ms INTEGER,
        window TEXT NOT NULL DEFAULT '',
        bound TEXT NOT NULL DEFAULT 'null',
        paused_ms INTEGER,
        PRIMARY KEY (mirror, partition)
    ) WITHOUT ROWID""",
)
_MARK = "INSERT INTO kmbridge_schema VALUES (4)"
_UPGRADES = {
    1: (
        "ALTER TABLE checkpoint ADD COLUMN unsettled_ms INTEGER",
        "ALTER TABLE checkpoint ADD COLUMN window TEXT NOT NULL DEFAULT ''",
        "UPDATE kmbridge_schema SET version = 2",
    ),
    2: (
        "ALTER TABLE checkpoint ADD COLUMN bound TEXT NOT NULL DEFAULT 'null'",
        "UPDATE kmbridge_schema SET version = 3",
    ),
    3: (
        "ALTER TABLE checkpoint ADD COLUMN paused_ms INTEGER",
        "UPDATE kmbridge_schema SET version = 4",
    ),
}
"""From each format to the next one."""
_LOAD = {
    1: "SELECT partition, position, watermark_ms, finished, saved_ms, source, sink, gaps, NULL, '', 'null', NULL "
    "FROM checkpoint WHERE mirror = ?",
    2: "SELECT partition, position, watermark_ms, finished, saved_ms, source, sink, gaps, unsettled_ms, window, "
    "'null', NULL FROM checkpoint WHERE mirror = ?",
    3: "SELECT partition, position, watermark_ms, finished, saved_ms, source, sink, gaps, unsettled_ms, window, bound, "
    "NULL FROM checkpoint WHERE mirror = ?",
    4: "SELECT partition, position, watermark_ms, finished, saved_ms, source, sink, gaps, unsettled_ms, window, bound, "
    "paused_ms FROM checkpoint WHERE mirror = ?",
}
"""By the format of the file."""
_SAVE = "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM checkpoint WHERE mirror = ? AND partition = ?"

_HINTS = {
    "SQLITE_FULL": "free space on its disk",
    "SQLITE_READONLY": "let this user write the file and its directory, or name another with checkpoints.sqlite.path",
    "SQLITE_CANTOPEN": "its directory must exist and this user must be able to write there; or name another file "
    "with checkpoints.sqlite.path",
    "SQLITE_PERM": "let this user read and write it, or name another file with checkpoints.sqlite.path",
    "SQLITE_BUSY": "close other programs that have it open",
    "SQLITE_LOCKED": "close other programs that have it open",
    "SQLITE_IOERR": "check its disk, or name another file with checkpoints.sqlite.path",
}
_FOREIGN = {"SQLITE_NOTADB", "SQLITE_CORRUPT"}
_FOREIGN_HINT = "it is left as it is; name another file with checkpoints.sqlite.path"


def check_kind(path: Path) -> None:
    """Raises ``StoreFormatError`` where something else than a file of checkpoints is at ``path``; leaves no trace.

    What is missing or empty passes, for it can become one, and what cannot be read now: opening it tells why.
    """
    try:
        with explained("open", path):
            _check_kind(path)
    except StoreFormatError:
        raise
    except CheckpointError:
        return


def open_to_write(path: Path) -> sqlite3.Connection:
    """As ``open_beside_a_writer``, for the file's owner: one of an older version becomes one of this version."""
    connection = open_beside_a_writer(path)
    try:
        with explained("open", path):
            version = _version(connection, path) or SCHEMA_VERSION
            _execute(connection, chain.from_iterable(_UPGRADES[old] for old in range(version, SCHEMA_VERSION)))
    except BaseException:
        connection.close()
        raise
    return connection


def open_beside_a_writer(path: Path) -> sqlite3.Connection:
    """The file at ``path``, made if it is missing, in which every commit is durable.

    One of an older version stays so, for its owner to work on.
    """
    with explained("open", path):
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            # Looked at before the first write, so that a foreign file stays as it is to the byte.
            is_new = _version(connection, path) is None
            _log_ahead(connection)
            connection.execute("PRAGMA synchronous = FULL")
            if is_new:
                _create(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def opened_to_read(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The file at ``path`` without a lock that a writer would feel; None where there is none, or nothing in it yet."""
    if not path.exists():
        yield None
        return
    with closing(_connection(f"{path.absolute().as_uri()}?mode=ro")) as connection:
        yield None if _version(connection, path) is None else connection


def load_beside_a_writer(path: Path, mirror: str) -> dict[str, Checkpoint]:
    """The checkpoints of ``mirror``, read without a lock that a writer would feel; empty where there is no file."""
    with explained("read", path), opened_to_read(path) as connection:
        version = None if connection is None else _version(connection, path)
        return {} if connection is None or version is None else _rows(connection, mirror, version)


def load(connection: sqlite3.Connection, path: Path, mirror: str) -> dict[str, Checkpoint]:
    with explained("read", path):
        return _rows(connection, mirror, SCHEMA_VERSION)


def save(connection: sqlite3.Connection, path: Path, mirror: str, checkpoints: Mapping[str, Checkpoint]) -> None:
    rows = [(mirror, partition, *_columns(checkpoint)) for partition, checkpoint in checkpoints.items()]
    with explained("save", path), transaction(connection):
        connection.executemany(_SAVE, rows)


def delete(connection: sqlite3.Connection, path: Path, mirror: str, partitions: Iterable[str]) -> None:
    with explained("delete from", path), transaction(connection):
        connection.executemany(_DELETE, [(mirror, partition) for partition in partitions])


@contextmanager
def explained(operation: str, path: Path) -> Iterator[None]:
    """Turns what goes wrong with the file into an error which names it and says what to do."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _explanation(f"{operation} the checkpoints in {path}", error) from error


def _explanation(operation: str, error: sqlite3.Error | OSError) -> CheckpointError:
    if isinstance(error, OSError):
        hint = _HINTS["SQLITE_FULL" if error.errno == ENOSPC else "SQLITE_CANTOPEN"]
        return CheckpointError(operation, error.strerror or str(error), hint)
    # The primary code is the name's first two words: SQLITE_IOERR_WRITE is an SQLITE_IOERR.
    code = "_".join((getattr(error, "sqlite_errorname", None) or "").split("_")[:2])
    if code in _FOREIGN:
        return StoreFormatError(operation, f"not a file of checkpoints: {error}", _FOREIGN_HINT)
    return CheckpointError(operation, str(error), _HINTS.get(code, ""))


def _check_kind(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise StoreFormatError(f"open the checkpoints in {path}", "not a file", _FOREIGN_HINT)
    # Not read-only: of a database with a write-ahead log such a connection leaves two files behind.
    with closing(_connection(f"{path.absolute().as_uri()}?mode=rw")) as connection:
        _version(connection, path)


def _connection(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def _version(connection: sqlite3.Connection, path: Path) -> int | None:
    """The file's format; None for an empty file.

    Raises ``StoreFormatError`` for one that is not ours, or that a newer version wrote.
    """
    operation = f"open the checkpoints in {path}"
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "kmbridge_schema" not in tables:
        raise StoreFormatError(operation, "another application's database", _FOREIGN_HINT)
    version: int = connection.execute("SELECT max(version) FROM kmbridge_schema").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreFormatError(
            operation,
            f"written in format {version} by a newer version, this one knows format {SCHEMA_VERSION}",
            "upgrade kmbridge, or name another file with checkpoints.sqlite.path",
        )
    return version


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Make the file one with a write-ahead log, if it is none.

    As every statement this waits for others, but where two are at it SQLite refuses one at once.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _create(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection):
        # Another may have made them meanwhile: who saves a document does not own the file.
        if _version(connection, path) is None:
            for statement in (*_TABLES, _MARK):
                connection.execute(statement)


def _execute(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    with transaction(connection):
        for statement in statements:
            connection.execute(statement)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _rows(connection: sqlite3.Connection, mirror: str, version: int) -> dict[str, Checkpoint]:
    return {partition: _checkpoint(*columns) for partition, *columns in connection.execute(_LOAD[version], (mirror,))}


def _checkpoint(  # noqa: PLR0913, PLR0917 - a row's columns
    position: str | None,
    watermark_ms: int | None,
    finished: int,
    saved_ms: int,
    source: str,
    sink: str,
    gaps: str,
    unsettled_ms: int | None,
    window: str,
    bound: str,
    paused_ms: int | None,
) -> Checkpoint:
    return Checkpoint(
        position,
        watermark_ms,
        bool(finished),
        saved_ms,
        source,
        sink,
        msgspec.json.decode(gaps, type=tuple[Gap, ...]),
        unsettled_ms,
        window,
        msgspec.json.decode(bound, type=Bound | None),
        paused_ms,
    )


def _columns(checkpoint: Checkpoint) -> tuple[str | int | None, ...]:
    return (
        checkpoint.position,
        checkpoint.watermark_ms,
        int(checkpoint.finished),
        checkpoint.saved_ms,
        checkpoint.source,
        checkpoint.sink,
        msgspec.json.encode(checkpoint.gaps).decode(),
        checkpoint.unsettled_ms,
        checkpoint.window,
        msgspec.json.encode(checkpoint.bound).decode(),
        checkpoint.paused_ms,
    )
