"""A mirror that makes mistakes on request. It shares its connectors with the product, and nothing that decides."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from random import Random

from bridge.engine.bounded import BoundedSource
from bridge.engine.budget import ByteBudget
from connectors import provenance
from connectors.base import Batch, Clock, Header, Observer, Place, Sink, Source
from connectors.codecs.catalogue import CodecName, codec_named
from connectors.kafka.settings import KafkaSinkSettings
from connectors.kafka.sink import KafkaSink
from connectors.kafka.source import KafkaSource
from connectors.kafka.source_settings import KafkaSourceSettings
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.settings import KinesisSinkSettings, KinesisSourceSettings
from connectors.kinesis.sink import KinesisSink
from tests.connectors.kinesis.writing import nobody_asks
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.kinesis_api import REGION

Fault = Callable[[Batch], Batch]
"""Makes a mistake in a batch of ``ENOUGH`` records or more, which knows its origins."""

ENOUGH = 60
_HEADERS: tuple[tuple[Header, ...], ...] = ((), (("trace", b"1"), ("trace", None)), (("kind", b"order"),))
_BATCH = 1_000
_MEMORY = 64 * 2**20


async def fill(end: End, records: int, keys: int) -> None:
    """Write so many records: two of three with headers, every seventh a tombstone."""
    async with _sink(end) as sink:
        for first in range(0, records, _BATCH):
            await _write(sink, _made(range(first, min(records, first + _BATCH)), keys))


async def mirror(source: End, sink: End, faults: Sequence[Fault] = (), codec: CodecName = "kpl") -> None:
    """Copy all of ``source`` into ``sink``, and make ``faults`` in the first batch that is large enough."""
    async with _source(source) as reading, _sink(sink, codec) as writing:
        left = list(faults)
        async for batch in _batches(reading):
            stamped = provenance.stamp(batch, reading.address, writing.address)
            while left and len(batch) >= ENOUGH:
                stamped = left.pop()(stamped)
            await _write(writing, stamped)
            batch.release()
    if left:
        raise ValueError("no batch was large enough for faults")


async def _batches(source: Source) -> AsyncIterator[Batch]:
    bounded = BoundedSource(source)
    async with aclosing(source.partitions()) as listings:
        partitions = await anext(listings)
    bounded.bounds.update(await source.ends(partitions, None))
    starts = await source.start(partitions)
    for partition in partitions:
        async with aclosing(bounded.read(partition, starts[partition.id], ByteBudget(_MEMORY))) as batches:
            async for batch in batches:
                yield batch


async def _write(sink: Sink, batch: Batch) -> None:
    async def nothing(_: Mapping[str, Place]) -> None:
        """Nobody goes on from here."""

    if len(batch):
        scope = await sink.begin()
        outcome = await scope.submit(batch.partition, batch)
        await scope.commit(nothing)
        if outcome.rejected:
            raise ValueError(outcome.rejected)


def _source(end: End) -> Source:
    if isinstance(end, StreamEnd):
        read = KinesisSourceSettings(end.name, REGION, end.url, poll_interval_s=0.1, read_share=1000.0)
        return KinesisSource(read, Clock(), Random(1), Observer())
    assert isinstance(end, TopicEnd)
    return KafkaSource(KafkaSourceSettings(end.address, end.name), Clock(), Observer())


def _sink(end: End, codec: CodecName = "kpl") -> Sink:
    if isinstance(end, StreamEnd):
        written = KinesisSinkSettings(end.name, codec_named(codec), REGION, end.url, away_s=60.0)
        return KinesisSink(written, Clock(), Random(1), Observer(), nobody_asks)
    assert isinstance(end, TopicEnd)
    return KafkaSink(KafkaSinkSettings(end.address, end.name), Clock(), Observer())


def lose(batch: Batch) -> Batch:
    return _without(batch, 3)


def double(batch: Batch) -> Batch:
    return batch.pick([*range(6), 5, *range(6, len(batch))])


def swap_within_a_key(batch: Batch) -> Batch:
    """The second of a key comes before its first."""
    first, second = next(_of_one_key(batch))
    order = list(range(len(batch)))
    order[first], order[second] = second, first
    return batch.pick(order)


def alter_a_byte(batch: Batch) -> Batch:
    index = next(at for at in range(20, len(batch)) if batch.values[at])
    values = list(batch.values)
    values[index] = b"!" + (values[index] or b"")[1:]
    return replace(batch, values=values)


def alter_a_header(batch: Batch) -> Batch:
    headers = list(batch.headers or [()] * len(batch))
    headers[25] = (*headers[25], ("added", b"1"))
    return replace(batch, headers=headers)


def bring_one_from_elsewhere(batch: Batch) -> Batch:
    """Another mirror's, under a key of its own."""
    found = batch.pick([*range(len(batch)), 30])
    origins = list(found.origins or ())
    origins[-1] = b"kafka:elsewhere:other/0/7>" + origins[-1].rpartition(b">")[2]
    return replace(found, origins=origins, keys=[*found.keys[:-1], b"elsewhere"])


def lose_a_tombstone(batch: Batch) -> Batch:
    return _without(batch, next(at for at in range(40, len(batch)) if batch.values[at] is None))


def _without(batch: Batch, index: int) -> Batch:
    return batch.pick([at for at in range(len(batch)) if at != index])


def _of_one_key(batch: Batch) -> Iterator[tuple[int, int]]:
    seen: dict[bytes, int] = {}
    for index in range(10, len(batch)):
        key = batch.keys[index]
        if key is not None and seen.setdefault(key, index) != index:
            yield seen[key], index


def _made(numbers: range, keys: int) -> Batch:
    return Batch(
        "maker",
        Place(str(numbers[-1])),
        [str(number) for number in numbers],
        # Some come so often that every batch has two records of one of them.
        [b"key-%d" % (number % 64 if number % 10 == 0 else number * 7919 % keys) for number in numbers],
        [None if number % 7 == 3 else b"value %d of no meaning" % number for number in numbers],
        # Of now: a broker throws away what looks old.
        [Clock().now_ms()] * len(numbers),
        [_HEADERS[number % 3] for number in numbers],
    )
