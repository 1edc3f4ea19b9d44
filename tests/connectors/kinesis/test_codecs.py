"""What codecs wrote into a shard is read as the records that they were."""

import gzip
from contextlib import aclosing

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import ORIGIN_HEADER, Partition, Place, Record
from connectors.codecs import kpl, kpl_wire
from connectors.codecs.catalogue import CodecName, codec_named
from connectors.codecs.codec import Codec
from connectors.codecs.compression import Compression
from connectors.codecs.decoding import Decoder
from connectors.kinesis import answers
from connectors.kinesis.reading.columns import LARGEST_BATCH, columns, pieces
from tests.connectors.codecs.records import Plain, batch_of, entries
from tests.connectors.kinesis.fake import FakeKinesis, opened
from tests.connectors.kinesis.reading import batches, records, values
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"
LOSSLESS: list[CodecName] = ["kpl", "envelope"]
RECORDS = [
    Plain(b"user1", b"value", 1, (("a", b"1"), ("a", None))),
    Plain(None, None, 2),
    Plain(b"\xff", b"\x00\xff", 3),
]


def _put(fake: FakeKinesis, codec: Codec, origins: list[bytes] | None = None) -> None:
    for key, data in entries(codec, batch_of(RECORDS, origins)):
        fake.put(data, key=key)


@pytest.mark.parametrize("name", LOSSLESS)
def test_keys_values_times_and_headers_are_read(name: CodecName) -> None:
    """Exactly those that were written, this hop's origin among the headers."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        _put(fake, codec_named(name), [b"a>b"] * len(RECORDS))
        async with opened(fake, clock) as source:
            found = await records(source, FIRST, Place(), len(RECORDS))
        assert [Plain(each.key, each.value, each.timestamp_ms, each.headers[:-1]) for each in found] == RECORDS
        assert {each.headers[-1] for each in found} == {(ORIGIN_HEADER, b"a>b")}

    run(main)


@pytest.mark.parametrize("name", LOSSLESS)
def test_arrivals_are_told_beside_the_records_own_times(name: CodecName) -> None:
    """Of every record of the batch, and of no batch where both are the same; headers only where there are any."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"native")
        async with opened(fake, clock) as source:
            [native] = await batches(source, FIRST, Place(), 1)
            _put(fake, codec_named(name))
            [mixed] = await batches(source, FIRST, Place(), 4)
            [(key, data)] = entries(codec_named(name), batch_of([Plain()]))
            fake.put(data, key=key)
            [bare] = await batches(source, FIRST, mixed.place, 1)
        arrived = [record.arrival_ms for record in fake.shards[FIRST].records]
        assert (native.arrivals_ms, native.headers) == (None, None)
        assert mixed.arrivals_ms == arrived[:4]
        assert mixed.timestamps_ms == [arrived[0], 1, 2, 3]
        assert mixed.headers == [(), *(record.headers for record in RECORDS)]
        assert (bare.arrivals_ms, bare.headers) == (arrived[4:], None)

    run(main)


@pytest.mark.parametrize(("codec", "is_found"), [("auto", True), ("envelope", True), ("kpl", False), ("raw", False)])
def test_a_source_looks_only_for_its_codec(codec: str, *, is_found: bool) -> None:
    """An envelope is data where another codec is named."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        [(key, data), *_] = entries(codec_named("envelope"), batch_of(RECORDS))
        fake.put(data, key=key)
        async with opened(fake, clock, codec=codec) as source:
            assert await values(source, FIRST, Place(), 1) == [RECORDS[0].value if is_found else data]

    run(main)


def test_aggregates_that_stay_packed_keep_envelopes_readable() -> None:
    """``deaggregate: never`` concerns aggregates alone."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for name in LOSSLESS:
            _put(fake, codec_named(name))
        packed = [data for _, data in entries(codec_named("kpl"), batch_of(RECORDS))]
        async with opened(fake, clock, deaggregate="never") as source:
            found = await values(source, FIRST, Place(), 6)
        assert found == [*packed, *(record.value for record in RECORDS)]

    run(main)


@pytest.mark.parametrize("decompress", ["never", "auto"])
def test_producers_compression_is_undone_where_it_is_told(decompress: str) -> None:
    """Data that only begins like it is left."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        data = [gzip.compress(b"value"), gzip.compress(b"value")[:-1], b"plain"]
        for each in data:
            fake.put(each)
        async with opened(fake, clock, decompress=decompress) as source:
            found = await values(source, FIRST, Place(), 3)
        assert found == ([b"value", *data[1:]] if decompress == "auto" else data)

    run(main)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_memory_is_counted_for_what_was_compressed(compression: Compression) -> None:
    """A batch's size is that of its values, not of what came over the wire."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        [(key, data)] = entries(codec_named("kpl", compression), batch_of([Plain(b"k", bytes(100_000))]))
        fake.put(data, key=key)
        async with opened(fake, clock) as source:
            [batch] = await batches(source, FIRST, Place(), 1)
        assert len(data) < 1_000
        assert batch.size == 100_001

    run(main)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_few_bytes_that_hold_much_are_read_bit_by_bit(name: Compression) -> None:
    """No batch takes more than a bound and one record, each waits for the budget, and all come, in order, once.

    The answer that holds them is the shard's last: only what is behind it ends the reading.
    """

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        count, size = 40, 1_000_000
        batch = batch_of([Plain(b"k", b"%d" % number + bytes(size), number) for number in range(count)])
        codec = codec_named("kpl", name)
        encode = codec.encoder(batch)
        packed = codec.entry("k", [encode(index) for index in range(count)])
        assert len(packed) < size
        for data in (b"before", packed, b"between", packed, b"behind"):
            fake.put(data)
        fake.split(FIRST)
        budget, seen = ByteBudget(1), list[Record]()
        async with opened(fake, clock) as source, aclosing(source.read(Partition(FIRST), Place(), budget)) as reading:
            async for found in reading:
                seen += found.records()
                assert budget.used <= LARGEST_BATCH + 2 * size
                assert (found.lag_ms == 0) <= (found.values[-1:] == [b"behind"])
                found.release()
        values = [b"before", *batch.values, b"between", *batch.values, b"behind"]
        assert [each.value for each in seen] == values
        first, second = (str(fake.shards[FIRST].records[index].sequence) for index in (1, 3))
        assert [each.position for each in seen if "#" in each.position] == [
            f"{sequence}#{sub}" for sequence in (first, second) for sub in range(count)
        ]

    run(main)


def test_a_reader_of_headers_gets_all_of_them_bit_by_bit() -> None:
    """However little room there is, every record comes once."""
    codec = codec_named("kpl")
    data = entries(codec, batch_of(RECORDS))
    packed = kpl.aggregate(b"k", [kpl_wire.record(b"%d" % number, b"") for number in range(3)])
    read = [answers.Record(str(number), entry, partition_key=key) for number, (key, entry) in enumerate(data)]
    read += [answers.Record("7", packed, partition_key="k"), answers.Record("8", b"plain", partition_key="k")]
    whole = columns(read, Decoder(), None, None)
    parts = list(pieces(read, Decoder(), 1))
    assert not whole.is_cut
    assert len(parts) == len(whole.positions) == 7
    assert [position for part in parts for position in part.positions] == whole.positions
    assert [value for part in parts for value in part.values] == whole.values
