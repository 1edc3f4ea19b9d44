"""Producers and consumers of a system that moves, and what the consumers saw in all their lives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice

from confluent_kafka import KafkaException

from bridge.migration.leases.table import lease_table
from checkpoints.dynamodb.client import connect
from tests.support.consumers import Group, KclApplication, is_processed, shards_of
from tests.support.ends import End, StreamEnd
from tests.support.kinesis_api import REGION
from tests.support.records import Stamp, TestRecord, generate

_KEYS = 40
_AT_ONCE = 10
_PAUSE_S = 0.2
_POLL_S = 0.1


@dataclass(slots=True)
class Seen:
    """Records in the order in which consumers were given them."""

    ids: list[int] = field(default_factory=list)
    by_key: dict[bytes, list[int]] = field(default_factory=dict)
    """Each key's, the first time only."""
    again: int = 0

    def add(self, key: bytes | None, value: bytes | None) -> None:
        number = Stamp.of(value or b"").id
        firsts = self.by_key.setdefault(key or b"", [])
        if number in firsts:
            self.again += 1
        else:
            firsts.append(number)
        self.ids.append(number)


class Producer:
    """Writes on and on, to whichever end it is started at."""

    def __init__(self) -> None:
        self.sent: list[TestRecord] = []
        self._records = generate(1_000_000, _KEYS, seed=11)
        self._writing: asyncio.Task[None] | None = None
        self._is_stopping = False

    def start(self, end: End) -> None:
        if self._writing is None:
            self._is_stopping = False
            self._writing = asyncio.create_task(self._write_on(end))

    async def stop(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            self._is_stopping = True
            await writing

    async def _write_on(self, end: End) -> None:
        while not self._is_stopping:
            some = list(islice(self._records, _AT_ONCE))
            self.sent += some
            await end.write(some)
            await asyncio.sleep(_PAUSE_S)


@asynccontextmanager
async def working(work: "Application | GroupConsumer") -> AsyncIterator[None]:
    """A consumer at work while the context lasts."""
    task = asyncio.create_task(work.run())
    try:
        yield
    finally:
        work.stop()
        await task


class Application:
    """A KCL application with one worker: it renews its leases while at work, and checkpoints what it was given."""

    def __init__(self, application: KclApplication, stream: StreamEnd, seen: Seen) -> None:
        self._application = application
        self._stream = stream
        self._seen = seen
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._until_stopped(self._renew))
            tasks.create_task(self._until_stopped(self._process))

    async def _until_stopped(self, work: Callable[[], Awaitable[None]]) -> None:
        while not self._stopped.is_set():
            await work()
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._stopped.wait()

    async def _renew(self) -> None:
        values = {":one": {"N": "1"}, ":owner": {"S": "worker"}}
        for shard in await self._application.places():
            await self._update(shard, "SET leaseOwner = :owner ADD leaseCounter :one", values)

    async def _process(self) -> None:
        places = await self._application.places()
        fresh = [each for each in await self._stream.records() if not is_processed(each, places)]
        for record in fresh:
            self._seen.add(record.key, record.value)
        for shard, records in shards_of(fresh).items():
            place = {":place": {"S": str(records[-1].sequence)}, ":sub": {"N": str(records[-1].sub)}}
            await self._update(shard, "SET checkpoint = :place, checkpointSubSequenceNumber = :sub", place)

    async def _update(self, shard: str, update: str, values: Mapping[str, Mapping[str, str]]) -> None:
        table = lease_table(self._application.name, REGION, self._application.url)
        request = {
            "TableName": table.name,
            "Key": {"leaseKey": {"S": shard}},
            "UpdateExpression": update,
            "ExpressionAttributeValues": values,
        }
        async with connect(table) as caller:
            await caller.call("UpdateItem", request)


class GroupConsumer:
    """A member of a group, in a thread; it commits what it has processed."""

    def __init__(self, group: Group, seen: Seen) -> None:
        self._group = group
        self._seen = seen
        self._is_stopped = False

    def stop(self) -> None:
        self._is_stopped = True

    async def run(self) -> None:
        await asyncio.to_thread(self._work)

    def _work(self) -> None:
        consumer = self._group.member()
        try:
            while not self._is_stopped:
                messages = [each for each in consumer.consume(100, _POLL_S) if each.error() is None]
                for message in messages:
                    self._seen.add(message.key(), message.value())
                if messages:
                    with suppress(KafkaException):
                        consumer.commit(asynchronous=False)
        finally:
            consumer.close()


def in_order(ids: Iterable[int]) -> bool:
    listed = list(ids)
    return listed == sorted(listed)
