"""Native records behind recorded ends: told from mirrored ones, and counted once however often somebody looks."""

from bridge.migration.measures.arrivals import arrivals
from bridge.migration.measures.ends import Ends, ends_of
from connectors.base import ORIGIN_HEADER, Clock, Header, Record
from connectors.memory.source import MemoryStream
from tests.bridge.migration.measures.memory_log import MemoryLog

HERE = "memory:orders"
MIRRORED = (ORIGIN_HEADER, f"kafka:cluster:orders/0/7>{HERE}".encode())
FORWARDED = (ORIGIN_HEADER, b"kafka:cluster:orders/0/7>kinesis:region:account:elsewhere")


def put(stream: MemoryStream, count: int, *headers: Header) -> None:
    for number in range(count):
        record = stream.put(b"key", b"%d" % number)
        found = stream.shards[record.partition].records
        found[-1] = Record(record.partition, record.position, record.key, record.value, record.timestamp_ms, headers)


async def test_mirrored_records_are_not_counted() -> None:
    """They tell nothing about producers; what an application forwards with its headers is its own, and counted."""
    stream = MemoryStream("orders", 1, Clock())
    put(stream, 4, MIRRORED)
    put(stream, 2)
    put(stream, 1, FORWARDED)
    found = await arrivals(MemoryLog(stream), {})
    assert (found.count, found.read, found.is_whole) == (3, 7, True)
    assert found.first is not None
    assert found.last is not None
    assert (found.first.position, found.last.position) == ("4", "6")


async def test_what_stands_before_the_ends_is_not_looked_at() -> None:
    """A gate asks again and again what came since."""
    stream = MemoryStream("orders", 2, Clock())
    log = MemoryLog(stream)
    put(stream, 30)
    ends = await ends_of(log)
    assert (await arrivals(log, ends)).read == 0
    put(stream, 3)
    found = await arrivals(log, ends)
    assert (found.count, found.read) == (3, 3)


async def test_a_look_that_is_cut_short_goes_on_where_it_ended() -> None:
    """Each look is bounded, and none of them counts a record that another has counted."""
    stream = MemoryStream("orders", 1, Clock())
    put(stream, 95)
    log, counts = MemoryLog(stream), []
    ends: Ends = {}
    while True:
        found = await arrivals(log, ends, most=20)
        counts.append(found.count)
        ends = found.until
        if found.is_whole:
            break
    assert counts == [20, 20, 20, 20, 15]


async def test_a_shard_that_came_later_is_counted_whole() -> None:
    """Of an end that is a position its children hold nothing."""
    stream = MemoryStream("orders", 1, Clock())
    log = MemoryLog(stream)
    put(stream, 5)
    ends = await ends_of(log)
    stream.split(stream.open_shards()[0])
    put(stream, 4)
    assert (await arrivals(log, ends)).count == 4
