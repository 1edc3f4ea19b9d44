"""Consumers of a stream and of a topic by their places: what they have processed, and what they would see."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from bridge.migration.leases.table import lease_table
from checkpoints.dynamodb.client import connect
from checkpoints.dynamodb.creation import active, create
from connectors.base import Clock
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.kafka_reader import TopicRecord
from tests.support.kinesis_api import REGION
from tests.support.stream_reader import StreamRecord
from tests.support.waiting import wait_until

_ANSWER_S = 10

Checkpoint = tuple[int, int] | str
"""Sequence and number within an aggregate, or a sentinel."""


@dataclass(frozen=True, slots=True)
class KclApplication:
    """An application by its table; at ``url`` is DynamoDB."""

    name: str
    url: str

    async def stand(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Make the table of an application that stands there and is at rest."""
        table = lease_table(self.name, REGION, self.url)
        async with connect(table) as caller:
            await create(caller, table, Clock())
            await active(caller, table, Clock())
        for shard, place in checkpoints.items():
            await self.put(shard, place)

    async def put(self, shard: str, place: Checkpoint) -> None:
        """The row of a lease that stands there."""
        sequence, sub = (place, 0) if isinstance(place, str) else place
        row = {
            "leaseKey": {"S": shard},
            "leaseCounter": {"N": "7"},
            "ownerSwitchesSinceCheckpoint": {"N": "0"},
            "checkpoint": {"S": str(sequence)},
            "checkpointSubSequenceNumber": {"N": str(sub)},
        }
        async with connect(lease_table(self.name, REGION, self.url)) as caller:
            await caller.call("PutItem", {"TableName": self.name, "Item": row})

    async def places(self) -> dict[str, Checkpoint]:
        """The checkpoints in its table."""
        async with connect(lease_table(self.name, REGION, self.url)) as caller:
            rows = (await caller.call("Scan", {"TableName": self.name, "ConsistentRead": True}))["Items"]
        assert isinstance(rows, list)
        return {row["leaseKey"]["S"]: _checkpoint(row) for row in rows}

    async def sees(self, stream: StreamEnd) -> list[StreamRecord]:
        """What its workers are given who start from the table: KCL resumes behind the record of the checkpoint."""
        places = await self.places()
        return [record for record in await stream.records() if not is_processed(record, places)]


def is_processed(record: StreamRecord, places: Mapping[str, Checkpoint]) -> bool:
    """Whether an application with leases at ``places`` has processed ``record``."""
    place = places[record.shard]
    if isinstance(place, str):
        return place == "SHARD_END"
    return (record.sequence, record.sub) <= place


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group of one topic."""

    name: str
    topic: TopicEnd

    async def stand(self, offsets: Mapping[int, int]) -> None:
        """Commit, as its consumers did before they were stopped."""
        await asyncio.to_thread(self._alter, offsets)

    async def places(self) -> dict[int, int]:
        """What is committed, by partition."""
        return await asyncio.to_thread(self._look_up)

    async def sees(self) -> list[TopicRecord]:
        """What its consumers are given next, to the end; all of a partition for which nothing is committed."""
        places = await self.places()
        return [each for each in await self.topic.records() if each.offset >= places.get(each.partition, 0)]

    def member(self) -> Consumer:
        """One who joins, to be polled and closed by the caller."""
        consumer = Consumer(
            {"bootstrap.servers": self.topic.address, "group.id": self.name, "enable.auto.commit": False}
        )
        consumer.subscribe([self.topic.name])
        return consumer

    def _alter(self, offsets: Mapping[int, int]) -> None:
        admin = AdminClient({"bootstrap.servers": self.topic.address})
        listed = [TopicPartition(self.topic.name, partition, offset) for partition, offset in offsets.items()]

        def is_taken() -> bool:
            (answer,) = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(self.name, listed)]).values()
            return all(each.error is None for each in answer.result(_ANSWER_S).topic_partitions)

        wait_until(is_taken, f"group {self.name} has its offsets")

    def _look_up(self) -> dict[int, int]:
        consumer = Consumer({"bootstrap.servers": self.topic.address, "group.id": self.name})
        try:
            known = consumer.list_topics(self.topic.name, _ANSWER_S).topics[self.topic.name].partitions
            found = consumer.committed([TopicPartition(self.topic.name, each) for each in known], _ANSWER_S)
        finally:
            consumer.close()
        return {each.partition: each.offset for each in found if each.offset >= 0}


def shards_of(records: Iterable[StreamRecord]) -> dict[str, list[StreamRecord]]:
    """Those of each shard, in order."""
    found: dict[str, list[StreamRecord]] = {}
    for record in records:
        found.setdefault(record.shard, []).append(record)
    return found


def _checkpoint(row: Mapping[str, Mapping[str, str]]) -> Checkpoint:
    place = row["checkpoint"]["S"]
    return (int(place), int(row["checkpointSubSequenceNumber"]["N"])) if place.isdigit() else place
