"""Writing test records into a stream so that the order of each key is certain."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from tests.support.kinesis_api import kinesis_session
from tests.support.records import TestRecord

_MAX_ENTRIES = 500
_MAX_BYTES = 4 * 1024 * 1024
_LOOKAHEAD = 5_000


async def write_records(url: str, stream: str, records: Iterable[TestRecord]) -> int:
    """Send them all and return their number.

    A call holds one record of a key, the next call begins when all of it is answered, and what the stream refused goes
    first. A call without an answer is raised, never repeated.
    """
    written = 0
    source = iter(records)
    waiting: deque[TestRecord] = deque()
    async with kinesis_session(url) as client:
        while batch := _take_distinct(waiting, source):
            failed = await _put(client, stream, batch)
            waiting.extendleft(reversed(failed))
            written += len(batch) - len(failed)
    return written


def _take_distinct(waiting: deque[TestRecord], source: Iterator[TestRecord]) -> list[TestRecord]:
    """The next records of different keys. Those which their key's turn keeps back stay in ``waiting``, in order."""
    batch: list[TestRecord] = []
    keys: set[str] = set()
    back: deque[TestRecord] = deque()
    size = 0
    while len(batch) < _MAX_ENTRIES and size < _MAX_BYTES and len(back) < _LOOKAHEAD:
        record = waiting.popleft() if waiting else next(source, None)
        if record is None:
            break
        if record.key in keys:
            back.append(record)
            continue
        keys.add(record.key)
        batch.append(record)
        size += len(record.filler) + len(record.key)
    waiting.extendleft(reversed(back))
    return batch


async def _put(client: Any, stream: str, batch: list[TestRecord]) -> list[TestRecord]:
    """Put them in one call; the ones that the stream refused, in order."""
    now = time.time_ns()
    entries = [{"Data": record.value(now), "PartitionKey": record.key} for record in batch]
    answer = await client.put_records(StreamName=stream, Records=entries)
    if not answer.get("FailedRecordCount"):
        return []
    return [record for record, result in zip(batch, answer["Records"], strict=True) if "ErrorCode" in result]
