"""Dead letters in a file, as ``connectors.file.sink`` writes them."""

import asyncio
from pathlib import Path

from bridge.parity.reading import Reader
from connectors.base import Partition, Place
from connectors.file.source import batch_of, opened, whole_lines


async def read_letters(path: Path, reader: Reader) -> None:
    """Hand all lines of the file to ``reader``, as one partition. A file that is not there has none.

    Raises ``ConnectorError`` for a line that is none, but for the last one: it may be half written.
    """
    partition, first = Partition(path.name), 1
    reader.begin(partition)
    file = await asyncio.to_thread(opened, path)
    if file is not None:
        with file:
            while lines := await asyncio.to_thread(whole_lines, file):
                reader.take(await asyncio.to_thread(batch_of, path, lines, first))
                first += len(lines)
    reader.end(partition, Place())
