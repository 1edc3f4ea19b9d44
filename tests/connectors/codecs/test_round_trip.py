"""What a codec wrote is read as exactly the same record."""

import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from connectors.base import ORIGIN_HEADER
from connectors.codecs.catalogue import CodecName, codec_named
from connectors.codecs.compression import Compression
from connectors.codecs.decoding import Decoder, Decompress, ReadCodec
from tests.connectors.codecs.records import Plain, any_record, batch_of, decoded, entries

LOSSLESS: list[CodecName] = ["kpl", "envelope"]
COMPRESSIONS: list[Compression] = ["none", "gzip", "zstd"]

_codecs = some.sampled_from(LOSSLESS)
_compressions = some.sampled_from(COMPRESSIONS)
_batches = some.lists(any_record, min_size=1, max_size=4)


@given(_batches, _codecs, _compressions)
def test_every_record_that_kafka_can_hold_comes_back(
    records: list[Plain], name: CodecName, compression: Compression
) -> None:
    """Key, value, time and headers, whatever they hold or lack, and nothing is refused."""
    codec, batch, decoder = codec_named(name, compression), batch_of(records), Decoder()
    assert codec.refusals(batch) == ()
    assert [decoded(*entry, decoder) for entry in entries(codec, batch)] == [[record] for record in records]


@given(_batches, _codecs)
def test_the_origin_of_this_hop_is_the_last_header(records: list[Plain], name: CodecName) -> None:
    """It follows the record's own headers, those of earlier hops among them."""
    codec, origins = codec_named(name), [f"origin-{index}".encode() for index in range(len(records))]
    found = [decoded(*entry) for entry in entries(codec, batch_of(records, origins))]
    expected = [(*record.headers, (ORIGIN_HEADER, origin)) for record, origin in zip(records, origins, strict=True)]
    assert [each[0].headers for each in found if each is not None] == expected


@given(some.lists(any_record, min_size=1, max_size=6), _compressions)
def test_records_of_one_key_share_an_aggregate(records: list[Plain], compression: Compression) -> None:
    """They come back in their order, each with what is its own."""
    codec = codec_named("kpl", compression)
    assert codec.packs
    same = [Plain(b"k", record.value, record.timestamp_ms, record.headers) for record in records]
    encode = codec.encoder(batch_of(same))
    assert decoded("k", codec.entry("k", [encode(index) for index in range(len(same))])) == same


@given(_batches, _codecs, _compressions)
@example(
    [Plain(bytes(100), b"\x1f" * 10_000, 0, (("\x00" * 900, b"\x00" * 900), (ORIGIN_HEADER, b"\x01" * 900)))],
    "envelope",
    "none",
)
@example([Plain(b"\xff" * 10_000, b"\xff" * 10_000, 0, (("", b"\xff"),) * 9_000)], "envelope", "none")
@example([Plain(b"\xff" * 10_000, b"\xff" * 10_000, 0, (("", b"\xff"),) * 9_000)], "kpl", "none")
@example([Plain(None, None, -(2**63))], "kpl", "none")
@example([Plain("\uffff".encode() * 256, b"", -(2**63), ((ORIGIN_HEADER, b""),) * 9_000)], "envelope", "none")
@example([Plain("\uffff".encode() * 256, b"", -(2**63), ((ORIGIN_HEADER, b""),) * 9_000)], "kpl", "none")
def test_no_entry_is_larger_than_promised(records: list[Plain], name: CodecName, compression: Compression) -> None:
    """With its partition key, by bytes and headers of its record: a sink knows most to be small without encoding."""
    codec = codec_named(name, compression)
    origin = b"origin\x00"
    for record, (key, data) in zip(records, entries(codec, batch_of(records, [origin] * len(records))), strict=True):
        headers = sum(len(label.encode()) + len(text or b"") for label, text in record.headers)
        size = len(record.key or b"") + len(record.value or b"") + headers + len(origin)
        assert len(data) + len(key.encode()) <= codec.largest(size, len(record.headers) + 1)


@given(_batches, _codecs, _compressions)
def test_a_record_is_written_the_same_again(records: list[Plain], name: CodecName, compression: Compression) -> None:
    """A repeated write has the same partition key and the same bytes."""
    batch = batch_of(records)
    assert entries(codec_named(name, compression), batch) == entries(codec_named(name, compression), batch)


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("decompress", ["never", "auto"])
def test_a_value_that_its_own_application_compressed_stays_so(name: CodecName, decompress: Decompress) -> None:
    """What codecs carry is given back as it was, also where the stream's producers' compression is undone."""
    record = Plain(value=zlib.compress(b"value", wbits=31))
    decoder = Decoder("auto", decompress)
    assert [decoded(*entry, decoder) for entry in entries(codec_named(name), batch_of([record]))] == [[record]]


@pytest.mark.parametrize(
    ("codec", "read"),
    [
        ("kpl", {"auto": True, "raw": False, "kpl": True, "envelope": False}),
        ("envelope", {"auto": True, "raw": False, "kpl": False, "envelope": True}),
    ],
)
def test_a_reader_finds_what_it_looks_for(codec: CodecName, read: dict[ReadCodec, bool]) -> None:
    """``auto`` recognises every codec by its marker, the others only their own; the rest is plain data."""
    [entry] = entries(codec_named(codec), batch_of([Plain()]))
    for name, is_found in read.items():
        assert (decoded(*entry, Decoder(name)) == [Plain()]) is is_found
