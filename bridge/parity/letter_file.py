"""Dead letters in a file, as ``connectors.file`` writes them."""

import asyncio
import base64
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypedDict

from bridge.errors import BridgeError
from bridge.parity.reading import Reader
from connectors.base import Batch, Partition, Place

_LINES = 1_000


class _Line(TypedDict):
    partition: str
    position: str
    timestamp_ms: int
    key: str | None
    value: str | None
    headers: list[tuple[str, str | None]]


async def read_letters(path: Path, reader: Reader) -> None:
    """Hand all lines of the file to ``reader``, as one partition. A file that is not there has none.

    Raises ``BridgeError`` for a line that is none, but for the last one: it may be half written.
    """
    partition, first = Partition(path.name), 0
    reader.begin(partition)
    file = await asyncio.to_thread(_opened, path)
    if file is not None:
        with file:
            while lines := await asyncio.to_thread(_whole_lines, file):
                reader.take(_batch(path, lines, first))
                first += len(lines)
    reader.end(partition, Place())


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _whole_lines(file: BinaryIO) -> list[bytes]:
    return [line for line in islice(file, _LINES) if line.endswith(b"\n")]


def _batch(path: Path, lines: Sequence[bytes], first: int) -> Batch:
    numbers = range(first + 1, first + 1 + len(lines))
    records = [_record(path, number, line) for number, line in zip(numbers, lines, strict=True)]
    return Batch(
        path.name,
        Place(),
        [str(number) for number in numbers],
        [_bytes(record["key"]) for record in records],
        [_bytes(record["value"]) for record in records],
        [record["timestamp_ms"] for record in records],
        [tuple((name, _bytes(text)) for name, text in record["headers"]) for record in records],
    )


def _record(path: Path, number: int, line: bytes) -> _Line:
    try:
        found: _Line = json.loads(line)
    except ValueError as error:
        raise BridgeError(f"read dead letters in {path}", f"line {number} is no JSON: {error}") from error
    return found


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
