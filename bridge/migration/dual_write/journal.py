"""The journal of intents, which is the shadow's spool too: a file that one writer owns."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bridge.migration.dual_write import journal_file
from bridge.migration.dual_write.errors import SpoolBusyError
from bridge.migration.dual_write.intent import Intent
from bridge.migration.dual_write.journal_file import Change, Opened, Roles
from bridge.migration.dual_write.since import Since
from bridge.migration.dual_write.stretch import Stretch
from checkpoints.base import StoreBusyError
from checkpoints.file_lock import FileLock

T = TypeVar("T")

_NOTHING = Change()
_File = tuple[FileLock, sqlite3.Connection, Opened]


class Journal:
    """Owns the file while entered, and touches it in one thread, in the order of the calls.

    What the authority answered and what is settled is only noted, and written with the next intent: a crash that
    comes before that makes the next life look for it. All methods but the notes raise ``SpoolError``.
    """

    def __init__(self, path: Path, writer: str, roles: Roles) -> None:
        self._path = path
        self._writer = writer
        self._roles = roles
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dual-write journal")
        self._file: _File | None = None
        self._answered: list[tuple[int, Sequence[int]]] = []
        self._settled: list[int] = []
        self.numbered = 0
        """No record has this number, or a higher one."""

    async def __aenter__(self) -> Self:
        """Raises ``SpoolBusyError``, ``SpoolFormatError`` and ``SpoolError``."""
        opening = self._thread.submit(self._open)
        try:
            self._file = await asyncio.shield(asyncio.wrap_future(opening))
        except BaseException:
            opening.add_done_callback(_close_unwanted)
            self._thread.shutdown(wait=False)
            raise
        self.numbered = self.opened.next
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file, self._file = self._entered, None
        try:
            await self._run(lambda _: _close(file), file)
        finally:
            self._thread.shutdown(wait=False)

    @property
    def opened(self) -> Opened:
        """The file as it was when it was entered."""
        return self._entered[2]

    @property
    def has_notes(self) -> bool:
        """Whether something is noted and not written."""
        return bool(self._answered or self._settled)

    def note_answer(self, first: int, refused: Sequence[int]) -> None:
        """The authority has what begins with ``first``, but the records of the numbers ``refused``."""
        self._answered.append((first, refused))

    def note_settled(self, first: int) -> None:
        """The shadow has what it is to have of what begins with ``first``."""
        self._settled.append(first)

    async def write(self, change: Change = _NOTHING) -> None:
        """``change`` and what is noted in one transaction, durable on return."""
        change = replace(change, answered=self._answered, settled=self._settled)
        self._answered, self._settled = [], []
        self.numbered = max(self.numbered, change.next or 0)
        try:
            await self._run(lambda connection: journal_file.apply(connection, self._path, change))
        except BaseException:
            self._answered[:0], self._settled[:0] = change.answered, change.settled
            raise

    async def unanswered(self, until: int) -> list[Stretch]:
        """As ``journal_file.unanswered``, with what was noted before."""
        await self.write()
        return await self._run(lambda connection: journal_file.unanswered(connection, self._path, until))

    async def unsettled(self, until: int) -> tuple[int, Since] | None:
        """As ``journal_file.unsettled``, with what was noted before."""
        await self.write()
        return await self._run(lambda connection: journal_file.unsettled(connection, self._path, until))

    async def owed(self, after: int, until: int, size: int) -> list[Intent]:
        """As ``journal_file.owed``, with what was noted before."""
        await self.write()
        return await self._run(lambda connection: journal_file.owed(connection, self._path, after, until, size))

    async def exchange(self, roles: Roles) -> None:
        await self._run(lambda connection: journal_file.exchange(connection, self._path, roles))

    async def mend(self) -> None:
        await self._run(lambda connection: journal_file.mend(connection, self._path))

    @property
    def _entered(self) -> _File:
        if self._file is None:
            raise RuntimeError("the journal is not entered")
        return self._file

    def _open(self) -> _File:
        with journal_file.explained("open", self._path):
            try:
                lock = FileLock(self._path.with_name(f"{self._path.name}.lock"), self._path)
            except StoreBusyError as error:
                raise SpoolBusyError(
                    f"own the spool {self._path}",
                    "another writer has it open",
                    "give each writer a file of its own, or end the other one first",
                ) from error
        try:
            return lock, *journal_file.open_to_write(self._path, self._writer, self._roles)
        except BaseException:
            lock.release()
            raise

    async def _run(self, work: Callable[[sqlite3.Connection], T], file: _File | None = None) -> T:
        """The result of ``work``, which runs to its end even if nobody waits for it any more."""
        connection = (file or self._entered)[1]
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work, connection))


def _close(file: _File) -> None:
    lock, connection, _ = file
    try:
        connection.close()
    finally:
        lock.release()


def _close_unwanted(opening: Future[_File]) -> None:
    """Give the file up which nobody waited for."""
    if not opening.cancelled() and opening.exception() is None:
        _close(opening.result())
