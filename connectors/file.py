"""A file of JSON lines as a sink, made for dead letters: one record a line, durable before it is answered."""

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.base import Batch, Outcome, Record, RefusedError, Scope, Sink, TransientError


class FileSink(Sink):
    """Appends to ``path``. Bytes are base64; a null key, value or header value is null.

    A line: ``{"partition", "position", "timestamp_ms", "key", "value", "headers": [[name, value], …]}``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._writer: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        try:
            self._file = await asyncio.to_thread(self._path.open, "ab", buffering=0)
        except OSError as error:
            raise RefusedError(f"open {self._path}", str(error), "check the path and its permissions") from error
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"file {self._path.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None and self._file is not None:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._file.close)
            self._writer.shutdown(wait=False)

    @property
    def identity(self) -> str:
        return ""

    @property
    def address(self) -> str:
        return f"file:{self._path.name}"

    async def begin(self) -> Scope:
        return _FileScope(self)

    def append(self, batch: Batch) -> asyncio.Future[Outcome]:
        """As ``Scope.submit``: one thread writes, in the order of the calls."""
        if self._writer is None:
            raise RuntimeError("the sink has not been entered")
        return asyncio.get_running_loop().run_in_executor(self._writer, self._write, batch)

    def _write(self, batch: Batch) -> Outcome:
        """Write whole lines or none: what a full disk cut off is taken back."""
        assert self._file is not None
        before = os.fstat(self._file.fileno()).st_size
        lines = b"".join(map(_line, batch.records()))
        try:
            written = self._file.write(lines)
            if written != len(lines):
                raise OSError(f"only {written} of {len(lines)} bytes were taken")
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(before)
            raise TransientError(f"write to {self._path}", str(error), "free space on the disk") from error
        return Outcome()


class _FileScope(Scope):
    """A failed write leaves nothing behind it that could be out of order: each line stands for itself."""

    def __init__(self, sink: FileSink) -> None:
        self._sink = sink

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        return self._sink.append(batch)

    async def commit(self, save: Callable[[], Awaitable[None]]) -> None:
        await save()


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
