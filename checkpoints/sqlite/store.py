"""Checkpoints in a file beside the mirror: for one worker, with nothing to install."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from checkpoints.base import Checkpoint, CheckpointReader, CheckpointStore, StoreSettingsError
from checkpoints.file_lock import FileLock
from checkpoints.sqlite import database

T = TypeVar("T")


def default_path(mirror: str) -> Path:
    """Where the checkpoints of ``mirror`` are when nobody names a place: in the working directory."""
    return Path(f"{mirror}.kmbridge.db")


class SqliteReader(CheckpointReader):
    """Looks into the file, also while a mirror writes it."""

    def __init__(self, path: Path, mirror: str) -> None:
        self._path = path
        self._mirror = mirror

    async def load(self) -> Mapping[str, Checkpoint]:
        return await asyncio.to_thread(database.load_beside_a_writer, self._path, self._mirror)


class SqliteCheckpoints(CheckpointStore):
    """Owns the whole file while entered, and writes the rows of one mirror in it.

    A save is one transaction in the write-ahead log, forced to the disk before ``save`` returns. Every access happens
    in one thread of its own, so that a slow disk never holds the event loop up. A cancelled operation may still
    take effect; the next one comes after it.
    """

    def __init__(self, path: Path, mirror: str) -> None:
        self._path = path
        self._mirror = mirror
        self._opened: _Opened | None = None

    async def __aenter__(self) -> Self:
        if self._opened is not None:
            raise RuntimeError("this store is entered already")
        thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        opening = thread.submit(_open, self._path)
        try:
            file = await asyncio.shield(asyncio.wrap_future(opening))
        except BaseException:
            opening.add_done_callback(_close_unwanted)
            thread.shutdown(wait=False)
            raise
        self._opened = _Opened(thread, file)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened = self._entered()
        self._opened = None
        await opened.close()

    async def load(self) -> Mapping[str, Checkpoint]:
        return await self._entered().run(lambda file: database.load(file, self._path, self._mirror))

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        written = dict(checkpoints)
        await self._entered().run(lambda file: database.save(file, self._path, self._mirror, written))

    async def delete(self, partitions: Iterable[str]) -> None:
        doomed = tuple(partitions)
        await self._entered().run(lambda file: database.delete(file, self._path, self._mirror, doomed))

    def _entered(self) -> "_Opened":
        if self._opened is None:
            raise RuntimeError("this store is not entered")
        return self._opened


@dataclass(frozen=True, slots=True)
class _File:
    lock: FileLock
    connection: sqlite3.Connection

    def close(self) -> None:
        try:
            self.connection.close()
        finally:
            self.lock.release()


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is owned while entered: a file, and the only thread that touches it."""

    thread: ThreadPoolExecutor
    file: _File

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of ``work``, which runs to its end even if nobody waits for it any more."""
        return await self._finished(lambda: work(self.file.connection))

    async def close(self) -> None:
        try:
            await self._finished(self.file.close)
        finally:
            self.thread.shutdown(wait=False)

    async def _finished(self, work: Callable[[], T]) -> T:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self.thread, work))


def _open(path: Path) -> _File:
    if not path.parent.is_dir():
        raise StoreSettingsError(
            f"open the checkpoints in {path}",
            f"there is no folder {path.parent}",
            "make it, or name another file with checkpoints.sqlite.path",
        )
    # Before the lock, whose file stays: none is left beside what is not ours.
    database.check_kind(path)
    with database.explained("open", path):
        lock = FileLock(path.with_name(f"{path.name}.lock"), path)
    try:
        return _File(lock, database.open_to_write(path))
    except BaseException:
        lock.release()
        raise


def _close_unwanted(opening: Future[_File]) -> None:
    """Give the file up which nobody waited for."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
