"""Documents in the file of checkpoints: its owner may be at work there."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from checkpoints.documents import Document, Documents, checked_name
from checkpoints.sqlite import database

# Made by whoever saves the first document, also in a file that an older version works with: it looks at its own tables.
_TABLE = """CREATE TABLE IF NOT EXISTS document (
    mirror TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    version INTEGER NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (mirror, name)
) WITHOUT ROWID"""
_IS_THERE = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'document'"
_LOAD = "SELECT text, version, author FROM document WHERE mirror = ? AND name = ?"
_SAVE = "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?)"


class SqliteDocuments(Documents):
    """Takes turns with the file's owner, and with others who save, by the file's own locks, for milliseconds."""

    def __init__(self, path: Path, mirror: str) -> None:
        self._path = path
        self._mirror = mirror

    async def load(self, name: str) -> Document | None:
        return await asyncio.to_thread(self._load, checked_name(name))

    async def _replace(self, name: str, expected: int | None, document: Document) -> Document | None:
        return await asyncio.to_thread(self._replace_now, name, expected, document)

    def _load(self, name: str) -> Document | None:
        operation = f"load document {name} beside"
        with database.explained(operation, self._path), database.opened_to_read(self._path) as connection:
            return None if connection is None else self._row(connection, name)

    def _replace_now(self, name: str, expected: int | None, document: Document) -> Document | None:
        with (
            database.explained(f"save document {name} beside", self._path),
            closing(database.open_beside_a_writer(self._path)) as connection,
            database.transaction(connection),
        ):
            connection.execute(_TABLE)
            found = self._row(connection, name)
            if (found and found.version) != expected:
                return found
            connection.execute(_SAVE, (self._mirror, name, document.text, document.version, document.author))
        return document

    def _row(self, connection: sqlite3.Connection, name: str) -> Document | None:
        if not connection.execute(_IS_THERE).fetchone()[0]:
            return None
        row = connection.execute(_LOAD, (self._mirror, name)).fetchone()
        return None if row is None else Document(*row)
