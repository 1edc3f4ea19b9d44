"""The file that is both journal and spool, read and written in the calling thread.

A row of ``stretch`` is an intent: written before its records are sent to the authority, and removed once the shadow has
what it is to have of it. A row of ``outcome`` says that the authority has answered, and which records it did not take.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path

import msgspec

from bridge.migration.dual_write.errors import SpoolError, SpoolFormatError
from bridge.migration.dual_write.intent import Intent
from bridge.migration.dual_write.since import Since
from bridge.migration.dual_write.stretch import Stretch, decoded
from checkpoints.sqlite.database import transaction

_VERSION = 1
_BUSY_S = 10.0
_PAGE_BYTES = 16_384
"""A row is large, and one that fits into fewer pages costs less."""
_LOG_PAGES = 2_000
"""Of the write-ahead log, before it is copied into the file: what is removed before that is never copied."""

_TABLES = (
    """CREATE TABLE dual_write (
        version INTEGER NOT NULL,
        writer TEXT NOT NULL,
        authority TEXT NOT NULL,
        shadow TEXT NOT NULL,
        next INTEGER NOT NULL,
        blocked_since INTEGER,
        swaps INTEGER NOT NULL
    )""",
    """CREATE TABLE stretch (
        first INTEGER PRIMARY KEY,
        records INTEGER NOT NULL,
        journalled_ms INTEGER NOT NULL,
        oldest_ms INTEGER NOT NULL,
        content BLOB NOT NULL
    )""",
    "CREATE TABLE outcome (first INTEGER PRIMARY KEY, refused TEXT NOT NULL)",
    "CREATE TABLE broken_key (key BLOB, since INTEGER NOT NULL)",
)
_HINTS = {
    "SQLITE_FULL": "free space on its disk",
    "SQLITE_READONLY": "let this user write the file and its directory",
    "SQLITE_CANTOPEN": "its directory must exist and this user must be able to write there",
    "SQLITE_BUSY": "close other programs that have it open",
    "SQLITE_IOERR": "check its disk",
}
_FOREIGN = {"SQLITE_NOTADB", "SQLITE_CORRUPT"}
_FOREIGN_HINT = "it is left as it is; name another file as the spool"
_EVER = Since(0, 0)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which end is which, by their labels."""

    authority: str
    shadow: str

    @property
    def exchanged(self) -> "Roles":
        return Roles(self.shadow, self.authority)


@dataclass(frozen=True, slots=True)
class Opened:
    """The file as it was found, or made."""

    writer: str
    roles: Roles
    next: int
    """The number of the next record."""
    blocked_since: int | None
    """From this number on the shadow gets nothing."""
    broken: dict[bytes | None, int]
    """Keys of which the shadow gets nothing from a number on."""
    swaps: int
    records: int
    size: int
    last: int
    """The first number of the last stretch; 0 without any."""
    oldest_ms: int
    """When the first of them was journalled."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction writes."""

    stretch: Stretch | None = None
    content: bytes = b""
    """``stretch`` encoded."""
    since: Since = _EVER
    """From when on an end can have any of it."""
    next: int | None = None
    broken: Sequence[tuple[bytes | None, int]] = ()
    blocked_since: int | None = None
    answered: Sequence[tuple[int, Sequence[int]]] = ()
    """First numbers of stretches, and the numbers in each that the authority did not take."""
    settled: Sequence[int] = ()
    """First numbers of stretches that are done with."""


def open_to_write(path: Path, writer: str, roles: Roles) -> tuple[sqlite3.Connection, Opened]:
    """The file at ``path``, made for ``writer`` and ``roles`` if it is missing. Every commit is durable.

    Raises ``SpoolFormatError`` for another kind of file, and for one whose ends are not the two of ``roles``.
    """
    with explained("open", path):
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            is_new = _is_new(connection, path)
            if is_new:
                connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            if is_new:
                _create(connection, writer, roles)
            return connection, _opened(connection, path, roles)
        except BaseException:
            connection.close()
            raise


def apply(connection: sqlite3.Connection, path: Path, change: Change) -> None:
    """Write all of ``change``, or nothing. Durable on return."""
    with explained("write", path), transaction(connection):
        if change.stretch is not None:
            stretch = change.stretch
            since = change.since
            row = (stretch.first, len(stretch), since.journalled_ms, since.stamped_ms, change.content)
            connection.execute("INSERT INTO stretch VALUES (?, ?, ?, ?, ?)", row)
        if change.next is not None:
            connection.execute("UPDATE dual_write SET next = ?", (change.next,))
        if change.blocked_since is not None:
            connection.execute("UPDATE dual_write SET blocked_since = ?", (change.blocked_since,))
        connection.executemany("INSERT INTO broken_key VALUES (?, ?)", change.broken)
        answered = [(first, msgspec.json.encode(refused).decode()) for first, refused in change.answered]
        connection.executemany("INSERT OR REPLACE INTO outcome VALUES (?, ?)", answered)
        done = [(first,) for first in change.settled]
        connection.executemany("DELETE FROM stretch WHERE first = ?", done)
        connection.executemany("DELETE FROM outcome WHERE first = ?", done)


def exchange(connection: sqlite3.Connection, path: Path, roles: Roles) -> None:
    """From now on ``roles``. The journal is empty."""
    with explained("write", path), transaction(connection):
        connection.execute(
            "UPDATE dual_write SET authority = ?, shadow = ?, swaps = swaps + 1", (roles.authority, roles.shadow)
        )


def mend(connection: sqlite3.Connection, path: Path) -> None:
    """No key is broken, and the shadow is not blocked."""
    with explained("write", path), transaction(connection):
        connection.execute("UPDATE dual_write SET blocked_since = NULL")
        connection.execute("DELETE FROM broken_key")


def unsettled(connection: sqlite3.Connection, path: Path, until: int) -> tuple[int, Since] | None:
    """Of the stretches up to the one that begins with ``until`` the first number, and since when they can be anywhere.

    None where there are none.
    """
    with explained("read", path):
        rows = connection.execute(
            "SELECT min(first), min(journalled_ms), min(oldest_ms) FROM stretch WHERE first <= ?", (until,)
        )
        first, journalled_ms, stamped_ms = rows.fetchone()
        return None if first is None else (first, Since(journalled_ms, stamped_ms))


def unanswered(connection: sqlite3.Connection, path: Path, until: int) -> list[Stretch]:
    """The stretches up to the one that begins with ``until`` of which no outcome is known, in order."""
    with explained("read", path):
        rows = connection.execute(
            "SELECT content FROM stretch WHERE first <= ? AND first NOT IN (SELECT first FROM outcome) ORDER BY first",
            (until,),
        )
        return [decoded(content) for (content,) in rows]


def owed(connection: sqlite3.Connection, path: Path, after: int, until: int, size: int) -> list[Intent]:
    """Answered intents that begin after ``after`` and not after ``until``, in order, until there are ``size`` bytes."""
    with explained("read", path):
        rows = connection.execute(
            "SELECT first, records, journalled_ms, content, refused FROM stretch JOIN outcome USING (first)"
            " WHERE first > ? AND first <= ? ORDER BY first",
            (after, until),
        )
        found: list[Intent] = []
        for first, records, journalled_ms, content, refused in rows:
            rest = decoded(content).without(msgspec.json.decode(refused, type=set[int]))
            found.append(Intent(first, records, len(content), journalled_ms, rest))
            size -= len(content)
            if size <= 0:
                break
        return found


@contextmanager
def explained(operation: str, path: Path) -> Iterator[None]:
    """Turns what goes wrong with the file into an error which names it and says what to do."""
    try:
        yield
    except OSError as error:
        hint = _HINTS["SQLITE_FULL" if error.errno == ENOSPC else "SQLITE_CANTOPEN"]
        raise SpoolError(f"{operation} the spool {path}", error.strerror or str(error), hint) from error
    except sqlite3.Error as error:
        # The primary code is the name's first two words: SQLITE_IOERR_WRITE is an SQLITE_IOERR.
        code = "_".join((getattr(error, "sqlite_errorname", None) or "").split("_")[:2])
        if code in _FOREIGN:
            raise SpoolFormatError(f"{operation} the spool {path}", f"no spool: {error}", _FOREIGN_HINT) from error
        raise SpoolError(f"{operation} the spool {path}", str(error), _HINTS.get(code, "")) from error


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Looked at before the first write, so that a foreign file stays as it is to the byte."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "dual_write" not in tables:
        raise SpoolFormatError(f"open the spool {path}", "another application's database", _FOREIGN_HINT)
    return not tables


def _create(connection: sqlite3.Connection, writer: str, roles: Roles) -> None:
    with transaction(connection):
        for table in _TABLES:
            connection.execute(table)
        row = (_VERSION, writer, roles.authority, roles.shadow)
        connection.execute("INSERT INTO dual_write VALUES (?, ?, ?, ?, 1, NULL, 0)", row)


def _opened(connection: sqlite3.Connection, path: Path, roles: Roles) -> Opened:
    operation = f"open the spool {path}"
    with closing(connection.execute("SELECT * FROM dual_write")) as rows:
        version, writer, authority, shadow, following, blocked_since, swaps = rows.fetchone()
    if version > _VERSION:
        raise SpoolFormatError(operation, f"written in format {version} by a newer version", "upgrade kmbridge")
    found = Roles(authority, shadow)
    if {found.authority, found.shadow} != {roles.authority, roles.shadow}:
        raise SpoolFormatError(
            operation,
            f"it belongs to {authority} and {shadow}, not to {roles.authority} and {roles.shadow}",
            "give each pair of ends a spool of its own",
        )
    count = (
        "SELECT coalesce(sum(records), 0), coalesce(sum(length(content)), 0), coalesce(max(first), 0),"
        " coalesce(min(journalled_ms), 0) FROM stretch"
    )
    records, size, last, oldest_ms = connection.execute(count).fetchone()
    broken = dict(connection.execute("SELECT key, since FROM broken_key").fetchall())
    return Opened(writer, found, following, blocked_since, broken, swaps, records, size, last, oldest_ms)
