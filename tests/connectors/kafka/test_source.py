"""What a Kafka source reads, from where, and what it tells beside records."""

import asyncio
from contextlib import AsyncExitStack, aclosing, closing
from datetime import UTC, datetime, timedelta
from threading import enumerate as running_threads

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from bridge.demo.embedded_kafka import embedded_kafka
from bridge.engine.budget import ByteBudget
from connectors.base import Batch, Clock, Header, Place, SettingsError
from connectors.kafka.fetching.flows import Flows
from connectors.kafka.source_watch import Look
from connectors.kafka.watch import Sight
from tests.connectors.kafka.reading import (
    LIMIT,
    P0,
    P1,
    PATIENCE_S,
    PROMPT_S,
    fill,
    series,
    source_of,
    take,
    until,
    values,
)
from tests.connectors.kafka.sending import now_ms
from tests.support.factories import TopicFactory
from tests.support.kafka_reader import read_topic
from tests.support.waiting import eventually, wait_until


async def test_every_byte_of_every_column_is_read_as_it_was_written(kafka: str, topic: TopicFactory) -> None:
    """Null and empty keys and values, repeated and null headers, times: as another client wrote and reads them."""
    name = topic(partitions=1)
    headers: list[list[Header]] = [[("a", b"1"), ("a", None), ("ž", b"")], [], [("b", b"\xff")]]
    records = [(None, b"no key"), (b"", b""), (b"\xff\x00", None)]
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for (key, value), each, time_ms in zip(records, headers, (now_ms(), now_ms() - 5000, 1), strict=True):
        await producer.send_and_wait(name, value, key, headers=each, timestamp_ms=time_ms)
    await producer.stop()
    async with source_of(kafka, name) as source:
        batches = await take(source, P0, Place(), 3)
    read = [record for batch in batches for record in batch.records()]
    written = [
        (str(each.offset), each.key, each.value, each.timestamp_ms, each.headers)
        for each in await read_topic(kafka, name)
    ]
    assert [(each.position, each.key, each.value, each.timestamp_ms, each.headers) for each in read] == written
    assert [each.headers for each in read] == [tuple(each) for each in headers]


async def test_records_without_headers_have_no_column_of_them(kafka: str, topic: TopicFactory) -> None:
    """Whoever passes a batch on need not look at each record."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 10))
    async with source_of(kafka, name) as source:
        assert all(batch.headers is None for batch in await take(source, P0, Place(), 10))


async def test_a_start_at_the_latest_is_pinned(kafka: str, topic: TopicFactory) -> None:
    """What is written between the start and the first reading belongs to the mirror; an empty partition has no end."""
    name = topic(partitions=2)
    await asyncio.to_thread(fill, kafka, name, series(0, 10))
    async with source_of(kafka, name, start="latest") as source:
        places = await source.start([P0, P1])
        assert places["0"].position == "9"
        assert places["1"] == Place()
        await asyncio.to_thread(fill, kafka, name, series(10, 5))
    async with source_of(kafka, name, start="latest") as again:
        assert values(await take(again, P0, places["0"], 5)) == series(10, 5)


async def test_a_start_at_a_time_is_the_first_record_of_it_or_the_end(kafka: str, topic: TopicFactory) -> None:
    """A time behind the last record is where the partition ends now; one in the future is refused."""
    name = topic(partitions=2)
    moment = now_ms() - 60_000
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(10):
        producer.produce(name, b"%d" % number, None, 0, timestamp=moment + number * 1000)
    producer.produce(name, b"old", None, 1, timestamp=moment - 1000)
    await asyncio.to_thread(producer.flush)
    start = datetime.fromtimestamp((moment + 3500) / 1000, UTC)
    async with source_of(kafka, name, start=start) as source:
        places = await source.start([P0, P1])
        assert values(await take(source, P0, places["0"], 6)) == series(4, 6)
        assert places["1"].position == "0"
    async with source_of(kafka, name, start=datetime.now(UTC) + timedelta(days=1)) as source:
        with pytest.raises(SettingsError, match="future"):
            await source.start([P0])


@pytest.mark.parametrize("before_ms", [1, 2, 86_400_000])
async def test_a_time_before_all_times_is_where_the_oldest_record_is(
    kafka: str, topic: TopicFactory, before_ms: int
) -> None:
    """Brokers take negative times for other questions, -1 for the end: a range there has nothing or all in it."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 10))
    start = datetime.fromtimestamp(0, UTC) - timedelta(milliseconds=before_ms)
    async with source_of(kafka, name, start=start) as source:
        assert (await source.start([P0]), await source.at_time([P0], -before_ms)) == ({"0": Place()}, {"0": Place()})
        assert (await source.ends([P0], -before_ms))["0"].position == "-1"


async def test_only_what_is_committed_is_read(kafka: str, topic: TopicFactory) -> None:
    """Aborted records are left out, an open transaction holds back what is behind it, and then all comes in order."""
    name = topic(partitions=1)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": name})
    await asyncio.to_thread(producer.init_transactions, 30)
    await asyncio.to_thread(_in_transaction, producer, kafka, name, b"aborted", producer.abort_transaction)
    await asyncio.to_thread(_in_transaction, producer, kafka, name, b"committed", producer.commit_transaction)
    producer.begin_transaction()
    producer.produce(name, b"open")
    await asyncio.to_thread(producer.flush)
    await asyncio.to_thread(fill, kafka, name, [b"behind"])
    async with source_of(kafka, name) as source, aclosing(source.read(P0, Place(), ByteBudget(LIMIT))) as reading:
        async with asyncio.timeout(PATIENCE_S):
            first = await anext(reading)
            assert values([first]) == [b"committed"]
            rest: list[Batch] = []
            # The commit's control marker is behind the record: an empty batch moves over it.
            rest.append(await anext(reading))
            assert (len(rest[0]), rest[0].place.position) == (0, "3")
            following = asyncio.ensure_future(anext(reading))
            assert not (await asyncio.wait([following], timeout=0.5))[0]
            await asyncio.to_thread(producer.commit_transaction)
            batch = await following
            while values([*rest, batch]) != [b"open", b"behind"]:
                rest.append(batch)
                batch = await anext(reading)
    async with source_of(kafka, name, isolation="read_uncommitted") as source:
        seen = values(await take(source, P0, Place(), 4))
    assert seen == [b"aborted", b"committed", b"open", b"behind"]


def _in_transaction(producer: Producer, address: str, topic: str, value: bytes, end: object) -> None:
    """Until the marker of its end is in partition 0: brokers write it some time after they have answered."""
    producer.begin_transaction()
    producer.produce(topic, value)
    producer.flush()
    with closing(Consumer({"bootstrap.servers": address, "group.id": topic})) as looking:
        place = TopicPartition(topic, 0)
        before = looking.get_watermark_offsets(place, PATIENCE_S)[1]
        end()  # type: ignore[operator]
        wait_until(lambda: looking.get_watermark_offsets(place, PATIENCE_S)[1] > before, "the transaction's marker")


async def test_an_empty_batch_moves_the_position_to_the_end(kafka: str, topic: TopicFactory) -> None:
    """So that the markers of transactions are no lag for ever; from there reading goes on with the next record."""
    name = topic(partitions=1)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": name})
    await asyncio.to_thread(producer.init_transactions, 30)
    await asyncio.to_thread(_in_transaction, producer, kafka, name, b"0", producer.commit_transaction)
    before = now_ms()
    async with source_of(kafka, name) as source:
        batches = await until(source, P0, Place(), lambda batches: batches[-1].place.position == "1")
        assert values(batches) == [b"0"]
        last = batches[-1]
        assert (len(last), last.lag_ms, last.lag_records) == (0, 0, 0)
        assert last.place.watermark_ms is None or before - 2000 < last.place.watermark_ms <= now_ms()
        await asyncio.to_thread(fill, kafka, name, [b"next"])
        assert values(await take(source, P0, last.place, 1)) == [b"next"]


async def test_the_watermark_of_an_idle_partition_moves(kafka: str, topic: TopicFactory) -> None:
    """It tells a position where nothing was missed from an old one; the position stays."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 3))
    async with source_of(kafka, name, look_s=0.2) as source:
        read = now_ms()
        batches = await until(source, P0, Place(), lambda batches: (batches[-1].place.watermark_ms or 0) > read)
        assert batches[-1].place.position == "2"
        more = await until(source, P0, batches[-1].place, lambda batches: len(batches) == 2)
    marks = [batch.place.watermark_ms or 0 for batch in (batches[-1], *more)]
    assert marks == sorted(set(marks))
    assert marks[-1] <= now_ms()


async def test_the_broker_s_own_times_are_watermarks(kafka: str, topic: TopicFactory) -> None:
    """With LogAppendTime the last record's time says what has arrived; the producer's time says nothing."""
    stamped = topic(partitions=1, config={"message.timestamp.type": "LogAppendTime"})
    plain = topic(partitions=1)
    for name in (stamped, plain):
        await asyncio.to_thread(fill, kafka, name, series(0, 3))
    async with source_of(kafka, stamped) as source:
        (batch,) = await take(source, P0, Place(), 3)
        assert batch.place.watermark_ms == batch.timestamps_ms[-1]
    async with source_of(kafka, plain) as source:
        (batch,) = await take(source, P0, Place(), 3)
        assert batch.place.watermark_ms is None


async def test_the_lag_is_counted_to_the_end_of_the_partition(kafka: str, topic: TopicFactory) -> None:
    """In records and in time while behind, and nothing at the end."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 9000, 100))
    async with source_of(kafka, name) as source:
        batches = await take(source, P0, Place(), 9000)
    assert len(batches) > 1
    for batch in batches:
        behind = 8999 - int(batch.place.position or -1)
        assert batch.lag_records == behind
        assert (batch.lag_ms > 0) == (behind > 0)


async def test_a_lag_is_told_whatever_times_producers_give(kafka: str, topic: TopicFactory) -> None:
    """Records from the future are not the tip for that."""
    name = topic(partitions=1)
    producer = Producer({"bootstrap.servers": kafka})
    for value in series(0, 9000, 100):
        producer.produce(name, value, None, 0, timestamp=now_ms() + 600_000)
    await asyncio.to_thread(producer.flush)
    async with source_of(kafka, name) as source:
        batches = await take(source, P0, Place(), 9000)
    assert len(batches) > 1
    assert [batch.lag_ms == 0 for batch in batches] == [batch.lag_records == 0 for batch in batches]


async def test_a_look_from_before_reading_began_tells_no_tip(kafka: str, topic: TopicFactory) -> None:
    """A partition that is taken over may have grown by more than its former reader read."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 200))
    async with source_of(kafka, name) as source:
        state = source._entered.state
        clock = Clock()
        state.see(Look(Sight(state.topic.id, 1), {0: 100}, clock.now_ms(), clock.monotonic()))
        (batch, *_) = await take(source, P0, Place("149"), 50)
    assert values([batch]) == series(150, 50)


async def test_a_topic_that_was_compacted_is_read_over_its_gaps(kafka: str, topic: TopicFactory) -> None:
    """Positions are offsets, and reading resumes from each, also in a gap."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 3))
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": name})
    await asyncio.to_thread(producer.init_transactions, 30)
    await asyncio.to_thread(_in_transaction, producer, kafka, name, b"aborted", producer.abort_transaction)
    await asyncio.to_thread(fill, kafka, name, series(3, 2))
    async with source_of(kafka, name) as source:
        batches = await take(source, P0, Place(), 5)
        assert [position for batch in batches for position in batch.positions] == ["0", "1", "2", "5", "6"]
        for inside in ("2", "3", "4"):
            assert values(await take(source, P0, Place(inside), 2)) == series(3, 2)


async def test_one_lane_that_does_not_read_on_holds_up_no_other(kafka: str, topic: TopicFactory) -> None:
    """And when it reads on, nothing is missing and nothing comes twice."""
    name = topic(partitions=2)
    sent = series(0, 12_000, 1000)
    for partition in (0, 1):
        await asyncio.to_thread(fill, kafka, name, sent, partition=partition)
    async with (
        source_of(kafka, name, buffer_bytes=2 * 2**20) as source,
        aclosing(source.read(P0, Place(), ByteBudget(LIMIT))) as stuck,
    ):
        async with asyncio.timeout(PATIENCE_S):
            seen = list((await anext(stuck)).values)
            assert values(await take(source, P1, Place(), len(sent))) == sent
            while len(seen) < len(sent):
                seen += (await anext(stuck)).values
    assert seen == sent


async def test_what_is_fetched_before_the_budget_is_asked_is_bounded(kafka: str, topic: TopicFactory) -> None:
    """Of all partitions together, however many there are; with room in the budget all of them go on."""
    name = topic(partitions=8)
    sent = series(0, 3000, 1000)
    for partition in range(8):
        await asyncio.to_thread(fill, kafka, name, sent, partition=partition)
    budget = ByteBudget(1)
    async with source_of(kafka, name, buffer_bytes=4 * 2**20) as source:
        flows = source._entered.fetcher._flows
        partitions = await anext(source.partitions())
        readings = [source.read(each, Place(), budget) for each in partitions]
        firsts = [asyncio.ensure_future(anext(reading)) for reading in readings]
        done, _ = await asyncio.wait(firsts, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        await eventually(lambda: _is_at_rest(flows), "as much fetched as may be")
        assert 2 * 2**20 <= flows.held < 6 * 2**20
        for first in done:
            first.result().release()
        seen = await asyncio.gather(
            *(_rest(reading, first, len(sent)) for reading, first in zip(readings, firsts, strict=True))
        )
    assert seen == [sent] * 8


def _is_at_rest(flows: Flows) -> bool:
    """Nothing is fetched until a lane reads on."""
    return bool(flows._flows) and all(flow.rests for flow in list(flows._flows.values()))


async def _rest(reading: object, first: "asyncio.Future[Batch]", count: int) -> list[bytes | None]:
    seen: list[bytes | None] = []
    batch = await first
    while True:
        batch.release()
        seen += batch.values
        if len(seen) >= count:
            await reading.aclose()  # type: ignore[attr-defined]
            return seen
        batch = await anext(reading)  # type: ignore[call-overload]


async def test_the_display_group_shows_where_the_mirror_stands(kafka: str, topic: TopicFactory) -> None:
    """Without membership, at once a second or so, and with the last word on leaving: no lag for any Kafka tool."""
    name, group = topic(partitions=2), topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 10))
    async with source_of(kafka, name, display_group=group) as source:
        (*_, batch) = await take(source, P0, Place(), 10)
        source.stored({"0": Place("4"), "1": Place()})
        await _until_shown(kafka, group, name, {0: 5})
        source.stored({"0": batch.place})
        source.stored({"0": Place("7")})
        source.stored({"0": batch.place})
    assert await asyncio.to_thread(_shown, kafka, group, name) == {0: 10}


async def _until_shown(address: str, group: str, topic: str, offsets: dict[int, int]) -> None:
    await asyncio.to_thread(wait_until, lambda: _shown(address, group, topic) == offsets, "offsets shown")


def _shown(address: str, group: str, topic: str) -> dict[int, int]:
    admin = AdminClient({"bootstrap.servers": address})
    asked = ConsumerGroupTopicPartitions(group)
    found = admin.list_consumer_group_offsets([asked])[group].result(PATIENCE_S).topic_partitions
    return {each.partition: each.offset for each in found if each.topic == topic and each.offset >= 0}


async def test_without_a_display_group_none_appears(kafka: str, topic: TopicFactory) -> None:
    """The source reads as nobody's consumer."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 3))
    async with source_of(kafka, name, client_id=name) as source:
        await take(source, P0, Place(), 3)
        source.stored({"0": Place("2")})
    admin = AdminClient({"bootstrap.servers": kafka})
    groups = await asyncio.to_thread(admin.list_consumer_groups().result, PATIENCE_S)
    assert not [each.group_id for each in groups.valid if name in each.group_id]


async def test_an_embedded_cluster_can_be_read() -> None:
    """Librdkafka's mock cluster answers no admin call, and is enough for a demonstration."""
    async with embedded_kafka("orders") as place:
        await asyncio.to_thread(fill, place.server, "orders", series(0, 500))
        async with source_of(place.server, "orders") as source:
            assert source.identity == ""
            assert len(await anext(source.partitions())) == place.partitions
            assert (await source.start([P0]))["0"] == Place()
            batches = await take(source, P0, Place(), 500)
            assert values(batches) == series(0, 500)
            assert values(await take(source, P0, Place("399"), 100)) == series(400, 100)


async def test_leaving_ends_every_thread_at_once(kafka: str, topic: TopicFactory) -> None:
    """In the middle of reading too."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 5000, 1000))
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(source_of(kafka, name, display_group=name))
        await take(source, P0, Place(), 10)
        async with asyncio.timeout(PROMPT_S):
            await stack.aclose()
    assert [thread.name for thread in running_threads() if name in thread.name] == []
