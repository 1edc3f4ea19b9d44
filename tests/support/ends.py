"""A stream and a topic as either end of a mirror: what is written into them, and what has arrived there."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.support import kafka_reader, stream_reader
from tests.support.kafka_reader import TopicRecord, read_topic
from tests.support.kinesis_api import REGION
from tests.support.kinesis_writer import write_records
from tests.support.records import TestRecord
from tests.support.stream_reader import Entry, StreamRecord, read_entries, read_stream
from tests.support.topic_tail import until_arrived
from tests.support.topic_writer import messages, write_topic


class End(Protocol):
    """One end of a mirror, at the server that it names."""

    @property
    def name(self) -> str: ...

    @property
    def section(self) -> Mapping[str, Any]:
        """What a configuration has under ``source`` or ``sink`` for it."""
        ...

    async def write(self, records: Iterable[TestRecord]) -> int:
        """Write them as native producers do, each key in order; their number."""
        ...

    async def until_arrived(self, count: int, timeout_s: float = 90) -> None:
        """Wait until so many different generated records are there, however often each."""
        ...

    async def ids_by_key(self) -> dict[bytes, list[int]]:
        """What is there: each key's ids in the order in which its readers meet them."""
        ...


@dataclass(frozen=True, slots=True)
class StreamEnd:
    url: str
    name: str

    @property
    def section(self) -> Mapping[str, Any]:
        return {"kinesis": {"stream": self.name, "region": REGION, "endpoint_url": self.url}}

    def at(self, url: str) -> "StreamEnd":
        """The same through a proxy."""
        return StreamEnd(url, self.name)

    async def write(self, records: Iterable[TestRecord]) -> int:
        return await write_records(self.url, self.name, records)

    async def until_arrived(self, count: int, timeout_s: float = 90) -> None:
        await stream_reader.until_arrived(self.url, self.name, count, timeout_s)

    async def entries(self) -> list[Entry]:
        return await read_entries(self.url, self.name)

    async def records(self) -> list[StreamRecord]:
        return await read_stream(self.url, self.name)

    async def ids_by_key(self) -> dict[bytes, list[int]]:
        return stream_reader.ids_by_key(await self.records())


@dataclass(frozen=True, slots=True)
class TopicEnd:
    address: str
    name: str

    @property
    def section(self) -> Mapping[str, Any]:
        return {"kafka": {"bootstrap_servers": [self.address], "topic": self.name}}

    def at(self, address: str) -> "TopicEnd":
        """The same through a proxy."""
        return TopicEnd(address, self.name)

    async def write(self, records: Iterable[TestRecord]) -> int:
        return await asyncio.to_thread(write_topic, self.address, self.name, messages(records))

    async def until_arrived(self, count: int, timeout_s: float = 90) -> None:
        await until_arrived(self.address, self.name, count, timeout_s)

    async def records(self) -> list[TopicRecord]:
        return await read_topic(self.address, self.name)

    async def ids_by_key(self) -> dict[bytes, list[int]]:
        return kafka_reader.ids_by_key(await self.records())
