"""A file of JSON lines as a sink, made for dead letters: one record a line, durable before it is answered."""

import asyncio
import base64
import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.base import Batch, Outcome, Record, RefusedError, Save, Scope, Sink, TransientError


class FileSink(Sink):
    """Appends to ``path``. Bytes are base64; a null key, value or header value is null.

    A line: ``{"partition", "position", "timestamp_ms", "key", "value", "headers": [[name, value], …]}``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: _Lines | None = None

    async def __aenter__(self) -> Self:
        try:
            file = await asyncio.to_thread(_open, self._path)
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
        """Write whole lines or none: what a full disk cut off is taken back."""
        if failures != self.failures:
            raise TransientError(f"write to {self._file.name}", "an earlier write of this scope failed")
        before = os.fstat(self._file.fileno()).st_size
        try:
            _write_all(self._file, b"".join(map(_line, batch.records())))
        except OSError as error:
            self.failures += 1
            self._file.truncate(before)
            raise TransientError(f"write to {self._file.name}", str(error), "free space on the disk") from error
        return Outcome()


def _open(path: Path) -> FileIO:
    """Open for appending, after a line break where a process that died left half a line."""
    file = path.open("a+b", buffering=0)
    if file.seek(0, os.SEEK_END) > 0:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return file


def _write_all(file: FileIO, data: bytes) -> None:
    written = file.write(data)
    if written != len(data):
        raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes were taken")
    os.fsync(file.fileno())


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
