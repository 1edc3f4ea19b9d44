"""Dead letters in a file, as ``connectors.file`` writes them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from bridge.errors import BridgeError
from bridge.parity.reading import Reader
from connectors.base import Batch, Partition, Place

_BYTES = 4 * 2**20
"""That are read at a time, and the rest of a line on top."""


class _Line(msgspec.Struct, frozen=True, gc=False):
    """Bytes stand there as base64."""

    partition: str
    position: str
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


_decoded = msgspec.json.Decoder(_Line).decode


async def read_letters(path: Path, reader: Reader) -> None:
    """Hand all lines of the file to ``reader``, as one partition. A file that is not there has none.

    Raises ``BridgeError`` for a line that is none, but for the last one: it may be half written.
    """
    partition, first = Partition(path.name), 1
    reader.begin(partition)
    file = await asyncio.to_thread(_opened, path)
    if file is not None:
        with file:
            while lines := await asyncio.to_thread(_whole_lines, file):
                reader.take(await asyncio.to_thread(_batch, path, lines, first))
                first += len(lines)
    reader.end(partition, Place())


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _whole_lines(file: BinaryIO) -> list[bytes]:
    return [line for line in file.readlines(_BYTES) if line.endswith(b"\n")]


def _batch(path: Path, lines: Sequence[bytes], first: int) -> Batch:
    records = [_record(path, number, line) for number, line in enumerate(lines, first)]
    return Batch(
        path.name,
        Place(),
        [str(number) for number in range(first, first + len(lines))],
        [record.key for record in records],
        [record.value for record in records],
        [record.timestamp_ms for record in records],
        [record.headers for record in records],
    )


def _record(path: Path, number: int, line: bytes) -> _Line:
    try:
        return _decoded(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BridgeError(
            f"read dead letters in {path}",
            f"line {number} is none: {error}",
            "remove a line that a crash cut off, for its record was written again; restore any other",
        ) from error
