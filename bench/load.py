"""What is mirrored: the stream of the benchmark."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

from tests.support.kinesis_api import create_stream
from tests.support.kinesis_writer import write_records
from tests.support.records import TestRecord, generate

SHARDS = 4
PARTITIONS = 4
VALUE_BYTES = 1024
SAMPLE = 40


@dataclass(frozen=True, slots=True)
class Load:
    """A filled stream: values of 1 KB, half of them random, over four shards."""

    stream: str
    counts: Counter[bytes] = field(default_factory=Counter)
    """How many records each key has."""

    @property
    def records(self) -> int:
        return self.counts.total()

    def generated(self, records: int, keys: int) -> Iterator[TestRecord]:
        """The records to write, counted as they are taken."""
        for record in generate(records, keys, size=VALUE_BYTES):
            self.counts[record.key.encode()] += 1
            yield record


def fill(kinesis: str, records: int, keys: int) -> Load:
    """A new stream that holds ``records`` records of about ``keys`` keys, each key in order."""
    load = Load(f"bench-{uuid4().hex[:12]}")
    create_stream(kinesis, load.stream, SHARDS)
    written = asyncio.run(write_records(kinesis, load.stream, load.generated(records, keys)))
    if written != records:
        raise RuntimeError(f"{written} of {records} records written into {load.stream}")
    return load


def fill_sample(kinesis: str) -> Load:
    """A stream of a few records, whose mirroring costs nothing but the program's start."""
    return fill(kinesis, SAMPLE, SAMPLE)
