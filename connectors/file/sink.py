"""A file of JSON lines as a sink, made for dead letters: one record a line, durable before it is answered."""

import asyncio
import base64
import errno
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.base import Batch, Outcome, Record, RefusedError, Save, Scope, SettingsError, Sink, TransientError

log = logging.getLogger(__name__)

_BLOCK = 4096


class FileSink(Sink):
    """Appends to ``path``. Bytes are base64; a null key, value or header value is null.

    A line: ``{"partition", "position", "timestamp_ms", "key", "value", "headers": [[name, value], …]}``.

    Several processes may append to one file, as a redrive does beside its mirror. Half a line is of one that died
    before its records were answered: it is removed, for they are read again from where they were.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: _Lines | None = None

    async def __aenter__(self) -> Self:
        try:
            file = await asyncio.to_thread(_open, self._path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            hint = "it is a file in a folder that is there: make the folder, or name another with dead_letter.file.path"
            raise SettingsError(f"open {self._path}", str(error), hint) from error
        except OSError as error:
            raise RefusedError(f"open {self._path}", str(error), "check the path and its permissions") from error
        self._lines = _Lines(file)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lines is not None:
            await self._lines.close()

    @property
    def identity(self) -> str:
        return ""

    @property
    def address(self) -> str:
        return f"file:{self._path.name}"

    async def begin(self) -> Scope:
        if self._lines is None:
            raise RuntimeError("the sink has not been entered")
        return _FileScope(self._lines)


class _FileScope(Scope):
    """Breaks with the first write that fails, whichever scope's it was."""

    def __init__(self, lines: "_Lines") -> None:
        self._lines = lines
        self._failures = lines.failures

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        return self._lines.append(batch, self._failures)

    async def commit(self, save: Save) -> None:
        await save({})


class _Lines:
    """An open file, and the one thread that writes to it, in the order of the calls."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="file sink")
        self.failures = 0

    def append(self, batch: Batch, failures: int) -> asyncio.Future[Outcome]:
        """Write ``batch``, unless there have been more ``failures`` than its scope knows."""
        # Shielded: whoever no longer waits for the answer does not take the batch back.
        return asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch, failures))

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        self._thread.shutdown(wait=False)

    def _write(self, batch: Batch, failures: int) -> Outcome:
        """Write whole lines or none."""
        if failures != self.failures:
            raise TransientError(f"write to {self._file.name}", "an earlier write of this scope failed")
        try:
            with _alone(self._file):
                _append(self._file, b"".join(map(_line, batch.records())))
        except OSError as error:
            self.failures += 1
            raise TransientError(f"write to {self._file.name}", str(error), "free space on the disk") from error
        return Outcome()


def _open(path: Path) -> FileIO:
    file = path.open("a+b", buffering=0)
    try:
        with _alone(file):
            _whole(file)
    except BaseException:
        file.close()
        raise
    return file


@contextmanager
def _alone(file: FileIO) -> Iterator[None]:
    """No other process appends meanwhile. Blocks until that is so."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _append(file: FileIO, data: bytes) -> None:
    """Write ``data`` behind whole lines; what a full disk cut off is taken back."""
    before = _whole(file)
    try:
        _write_all(file, data)
    except OSError:
        with suppress(OSError):
            file.truncate(before)
        raise


def _write_all(file: FileIO, data: bytes) -> None:
    written = file.write(data)
    if written != len(data):
        raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes were taken")
    os.fsync(file.fileno())


def _whole(file: FileIO) -> int:
    """How many bytes of whole lines there are; half a line behind them is removed."""
    size = os.fstat(file.fileno()).st_size
    end = _end_of_lines(file, size)
    if end < size:
        log.warning("%s: half a line at its end is removed, which a process that died did not finish", file.name)
        file.truncate(end)
    return end


def _end_of_lines(file: FileIO, size: int) -> int:
    """Where the last line break before ``size`` is, and 0 where there is none."""
    while size > 0:
        start = max(0, size - _BLOCK)
        found = os.pread(file.fileno(), size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


def _line(record: Record) -> bytes:
    fields = {
        "partition": record.partition,
        "position": record.position,
        "timestamp_ms": record.timestamp_ms,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [[name, _text(value)] for name, value in record.headers],
    }
    return json.dumps(fields).encode() + b"\n"


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()
