"""A file of JSON lines, as ``connectors.file.sink`` writes it, as a source of one partition."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from connectors.base import (
    Batch,
    Budget,
    Clock,
    ConnectorError,
    End,
    GapError,
    Partition,
    Place,
    Position,
    RefusedError,
    SettingsError,
    Source,
)

BYTES_AT_ONCE = 4 * 2**20
"""That are read at a time, and the rest of a line on top."""

_LOOK_S = 0.5


class _Line(msgspec.Struct, frozen=True, gc=False):
    """Bytes stand there as base64."""

    partition: str
    position: str
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


_decoded = msgspec.json.Decoder(_Line).decode


class FileSource(Source):
    """Positions are the numbers of lines, from 1 on; the partition has the name of the file.

    A file that is not there has no records yet; half a line at the end is none.
    """

    def __init__(self, path: Path, clock: Clock, start_ms: int | None = None) -> None:
        """Without a checkpoint it begins with the first record of ``start_ms`` or later; None: with the first."""
        self._path = path
        self._clock = clock
        self._start_ms = start_ms

    @property
    def identity(self) -> str:
        return ""

    @property
    def address(self) -> str:
        return f"file:{self._path.name}"

    async def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        yield (Partition(self._path.name),)
        await asyncio.Event().wait()

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        if self._start_ms is None:
            return {partition.id: Place() for partition in partitions}
        before = await asyncio.to_thread(self._lines_before, self._start_ms)
        return {partition.id: Place(str(before) if before else None) for partition in partitions}

    def rank(self, position: Position | None) -> tuple[int, ...]:
        return (self._number(position),)

    def just_before(self, position: Position) -> Place:
        number = self._number(position) - 1
        return Place(str(number) if number > 0 else None)

    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        if until_ms is not None and until_ms > self._clock.now_ms():
            raise SettingsError(
                "end in the future", "that time is still to come", "--until now ends with what is there"
            )
        last = await asyncio.to_thread(self._lines_before, None if until_ms is None else until_ms + 1)
        return {partition.id: End(str(last)) for partition in partitions}

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        number = self._number(after.position)
        while (file := await asyncio.to_thread(opened, self._path)) is None:
            await self._clock.sleep(_LOOK_S)
        with file:
            if await asyncio.to_thread(_pass, file, number) < number:
                raise GapError(
                    f"read {self._path}",
                    f"it has less than {number} lines, which were read before: it is another file",
                    "put the old one back",
                    lost_from="1",
                    lost_to=str(number),
                    resume=None,
                )
            while True:
                lines = await asyncio.to_thread(whole_lines, file)
                if not lines:
                    await self._clock.sleep(_LOOK_S)
                    continue
                reservation = await budget.reserve(sum(map(len, lines)))
                try:
                    batch = await asyncio.to_thread(batch_of, self._path, lines, number + 1)
                    yield replace(batch, reservation=reservation)
                except BaseException:
                    reservation.release()
                    raise
                number += len(lines)

    def _number(self, position: Position | None) -> int:
        if position is None:
            return 0
        if not position.isdecimal():
            raise RefusedError(f"read {self._path}", f"{position!r} is no number of a line", "give one, from 1 on")
        return int(position)

    def _lines_before(self, time_ms: int | None) -> int:
        """How many whole lines precede the first record of that time or later; None: how many there are."""
        count = 0
        file = opened(self._path)
        if file is None:
            return 0
        with file:
            while lines := whole_lines(file):
                times = batch_of(self._path, lines, count + 1).timestamps_ms
                for index, each in enumerate(times):
                    if time_ms is not None and each >= time_ms:
                        return count + index
                count += len(lines)
        return count


def opened(path: Path) -> BinaryIO | None:
    """None where there is no such file."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def whole_lines(file: BinaryIO) -> list[bytes]:
    """The next ones; none where there are no more yet, and half a line is left to be read again."""
    lines = file.readlines(BYTES_AT_ONCE)
    if lines and not lines[-1].endswith(b"\n"):
        file.seek(-len(lines.pop()), 1)
    return lines


def batch_of(path: Path, lines: Sequence[bytes], first: int) -> Batch:
    """``lines``, of which the first has the number ``first``. Raises ``ConnectorError`` for one that is no record."""
    records = [_record(path, number, line) for number, line in enumerate(lines, first)]
    last = str(first + len(lines) - 1)
    return Batch(
        path.name,
        Place(last),
        [str(number) for number in range(first, first + len(lines))],
        [record.key for record in records],
        [record.value for record in records],
        [record.timestamp_ms for record in records],
        [record.headers for record in records],
        size=sum(len(text) for record in records for text in (record.key, record.value) if text is not None),
    )


def _pass(file: BinaryIO, count: int) -> int:
    """Pass so many lines; how many there were."""
    return sum(1 for _ in zip(range(count), file, strict=False))


def _record(path: Path, number: int, line: bytes) -> _Line:
    try:
        return _decoded(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConnectorError(
            f"read dead letters in {path}",
            f"line {number} is none: {error}",
            "remove a line that a crash cut off, for its record was written again; restore any other",
        ) from error
