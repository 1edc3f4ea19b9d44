"""A stream, a topic, and the way between them that a mirror is to keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.support.ends import StreamEnd, TopicEnd
from tests.support.kafka_reader import TopicRecord, until_settled
from tests.support.topic_tail import until_arrived
from tests.support.way import Way


@dataclass(frozen=True, slots=True)
class Route(Way[StreamEnd, TopicEnd]):
    """From Kinesis to Kafka."""

    @property
    def kinesis(self) -> str:
        return self.source.url

    @property
    def stream(self) -> str:
        return self.source.name

    @property
    def kafka(self) -> str:
        return self.sink.address

    @property
    def topic(self) -> str:
        return self.sink.name

    def via(self, *, kinesis: str | None = None, kafka: str | None = None) -> "Route":
        """The same through a proxy."""
        return self.through(source=self.source.at(kinesis or self.kinesis), sink=self.sink.at(kafka or self.kafka))

    async def until_committed(self, count: int, timeout_s: float = 90) -> None:
        """As ``until_arrived``, for those who read what is committed."""
        await until_arrived(self.kafka, self.topic, count, timeout_s, "read_committed")

    async def until_settled(self) -> None:
        """Wait until no transaction is open in the topic."""
        await until_settled(self.kafka, self.topic)

    async def records(self) -> list[TopicRecord]:
        return await self.sink.records()


class RouteFactory(Protocol):
    def __call__(self, shards: int = 4, partitions: int = 4, config: Mapping[str, str] | None = None) -> Route: ...
