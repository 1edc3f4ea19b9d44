"""A stream, a topic, and the way between them that a mirror is to keep."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from tests.support.kafka_reader import TopicRecord, ids_by_key, read_topic, until_settled
from tests.support.kinesis_writer import write_records
from tests.support.mirror_process import MirrorProcess
from tests.support.records import TestRecord
from tests.support.topic_tail import until_arrived


@dataclass(frozen=True, slots=True)
class Route:
    """``kinesis`` and ``kafka`` are where the test writes and reads, and the mirror too unless it is told others."""

    folder: Path
    kinesis: str
    stream: str
    kafka: str
    topic: str

    def via(self, *, kinesis: str | None = None, kafka: str | None = None) -> "Route":
        """The same through a proxy."""
        return replace(self, kinesis=kinesis or self.kinesis, kafka=kafka or self.kafka)

    def mirror(self, more: Mapping[str, Any] | None = None) -> MirrorProcess:
        """Not started. ``more`` are keys of its configuration."""
        return MirrorProcess(
            self.folder, kinesis=self.kinesis, stream=self.stream, kafka=self.kafka, topic=self.topic, more=more
        )

    async def write(self, records: Iterable[TestRecord]) -> int:
        return await write_records(self.kinesis, self.stream, records)

    async def until_arrived(self, count: int, timeout_s: float = 90) -> None:
        """Wait until so many different generated records are in the topic."""
        await until_arrived(self.kafka, self.topic, count, timeout_s)

    async def until_committed(self, count: int, timeout_s: float = 90) -> None:
        """As ``until_arrived``, for those who read what is committed."""
        await until_arrived(self.kafka, self.topic, count, timeout_s, "read_committed")

    async def until_settled(self) -> None:
        """Wait until no transaction is open in the topic."""
        await until_settled(self.kafka, self.topic)

    async def records(self) -> list[TopicRecord]:
        return await read_topic(self.kafka, self.topic)

    async def ids_by_key(self) -> dict[bytes, list[int]]:
        """What arrived: each key's ids in the order of the topic."""
        return ids_by_key(await self.records())


class RouteFactory(Protocol):
    def __call__(self, shards: int = 4, partitions: int = 4, config: Mapping[str, str] | None = None) -> Route: ...
