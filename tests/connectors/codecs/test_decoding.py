"""Whatever stands in a stream is decoded, or is plain data."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.base import ORIGIN_HEADER
from connectors.codecs import kpl, kpl_wire
from connectors.codecs.catalogue import CodecName, codec_named
from connectors.codecs.compression import GZIP_MAGIC, ZSTD_MAGIC, Compression, compressor
from connectors.codecs.decoding import Decoder, ReadCodec
from connectors.codecs.envelope import MARKER
from connectors.codecs.kpl_tags import BINARY_HEADER, COMPRESSION, KEY, NULL_VALUE, TEXT_HEADER, TIMESTAMP
from tests.connectors.codecs.aggregates import sealed
from tests.connectors.codecs.records import Plain, any_record, batch_of, decoded, entries

_EVERYTHING = Decoder("auto", "auto")
_markers = some.sampled_from([b"", kpl.MAGIC, MARKER, GZIP_MAGIC, ZSTD_MAGIC])


@given(_markers, some.binary(max_size=300))
def test_any_bytes_can_be_read(marker: bytes, rest: bytes) -> None:
    """No data raises, whatever follows a marker."""
    _EVERYTHING.decode(b"k", marker + rest)
    _EVERYTHING.decode(b"k", sealed(rest))


_codecs: some.SearchStrategy[CodecName] = some.sampled_from(["kpl", "envelope"])
_compressions: some.SearchStrategy[Compression] = some.sampled_from(["none", "gzip", "zstd"])


@given(any_record, _codecs, _compressions, some.data())
def test_damaged_entries_can_be_read(
    record: Plain, name: CodecName, compression: Compression, draw: some.DataObject
) -> None:
    """An entry with bytes changed, cut or added, its digest made to fit, is decoded or plain."""
    [(_, data)] = entries(codec_named(name, compression), batch_of([record]))
    body = bytearray(data if name == "envelope" else data[4:-16])
    for _ in range(draw.draw(some.integers(1, 4))):
        body[draw.draw(some.integers(0, len(body) - 1))] = draw.draw(some.integers(0, 255))
    body = body[: draw.draw(some.integers(0, len(body)))] + draw.draw(some.binary(max_size=3))
    _EVERYTHING.decode(b"k", bytes(body) if name == "envelope" else sealed(bytes(body)))


_json = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=8,
)
_fields = ["timestamp", "key", "value", "compression", "headers", ORIGIN_HEADER, "new"]


@given(some.dictionaries(some.sampled_from(_fields), _json))
def test_envelopes_of_wrong_types_are_plain(fields: dict[str, object]) -> None:
    """A document is an envelope only where every field is what it has to be."""
    text = json.dumps({"kmbridge": 1, **fields}, separators=(",", ":")).encode()
    found = decoded("k", text)
    assert found is None or {"timestamp", "key", "value"} <= fields.keys() <= set(_fields) - {"new"}


_GOOD = '{"kmbridge":1,"timestamp":1,"key":null,"value":null'


@pytest.mark.parametrize(
    "text",
    [
        '{"kmbridge":1,"timestamp":1,"key":null}',
        '{"kmbridge":1,"timestamp":1.5,"key":null,"value":null}',
        '{"kmbridge":1,"timestamp":9223372036854775808,"key":null,"value":null}',
        '{"kmbridge":2,"timestamp":1,"key":null,"value":null}',
        '{ "kmbridge":1,"timestamp":1,"key":null,"value":null}',
        _GOOD,
        _GOOD + "}}",
        _GOOD + ',"more":1}',
        _GOOD + ',"compression":"gzip"}',
        '{"kmbridge":1,"timestamp":1,"key":null,"value":"text","compression":"gzip"}',
        '{"kmbridge":1,"timestamp":1,"key":null,"value":{"base64":"AA=="},"compression":"lz4"}',
        '{"kmbridge":1,"timestamp":1,"key":{"base64":"A"},"value":null}',
        '{"kmbridge":1,"timestamp":1,"key":{"base64":"AA==","x":1},"value":null}',
        '{"kmbridge":1,"timestamp":1,"key":"\\ud800","value":null}',
        _GOOD + ',"headers":[["a"]]}',
        _GOOD + ',"headers":["other"]}',
        _GOOD + ',"headers":["kmbridge-origin"]}',
        '{"kmbridge":1,"new":' + "[" * 100_000,
    ],
)
def test_what_is_no_envelope_is_plain(text: str) -> None:
    """Incomplete, unknown, contradictory, or nested without end."""
    assert decoded("k", text.encode()) is None


def test_the_shortest_envelope_is_one() -> None:
    """What the ones above lack makes the difference."""
    assert decoded("k", (_GOOD + "}").encode()) == [Plain(None, None, 1)]


def _with_tags(*tags: tuple[bytes, bytes | None], value: bytes = b"v") -> bytes:
    return kpl.aggregate(b"k", [kpl_wire.record(value, b"".join(kpl_wire.tag(*each) for each in tags))])


_TIME = (TIMESTAMP, b"1")


@pytest.mark.parametrize(
    "tags",
    [
        [(b"someone", b"else's")],
        [(b"someone", b"1"), _TIME],
        [(TIMESTAMP, b"soon")],
        [(TIMESTAMP, None)],
        [(TIMESTAMP, b"9" * 5_000)],
        [(TIMESTAMP, b"9223372036854775808")],
        [_TIME, (KEY, b"not base64")],
        [_TIME, (BINARY_HEADER + b"h", b"A")],
        [_TIME, (BINARY_HEADER + b"h", "ä".encode())],
        [_TIME, (TEXT_HEADER + b"\xff", b"")],
        [_TIME, (COMPRESSION, b"gzip")],
        [_TIME, (COMPRESSION, b"lz4")],
        [_TIME, (COMPRESSION, None)],
        [_TIME, (COMPRESSION, b"\xff")],
    ],
)
def test_tags_of_others_and_senseless_ones_are_left_alone(tags: list[tuple[bytes, bytes | None]]) -> None:
    """The record is what Amazon's library would see, without a time of its own."""
    assert decoded("k", _with_tags(*tags)) == [Plain(b"k", b"v", -1)]


def test_unknown_tags_beside_ours_are_ignored() -> None:
    """They neither become headers nor keep the rest from being read."""
    found = decoded("k", _with_tags(_TIME, (b"someone", b"else's"), (NULL_VALUE, None), value=b""))
    assert found == [Plain(b"k", None, 1)]


def test_an_aggregate_may_hold_records_of_several_producers() -> None:
    """Each is read for itself."""
    ours = codec_named("kpl").encoder(batch_of([Plain(b"k", b"ours", 7, (("h", None),))]))(0)
    assert decoded("k", kpl.aggregate(b"k", [kpl_wire.record(b"theirs", b""), ours])) == [
        Plain(b"k", b"theirs", -1),
        Plain(b"k", b"ours", 7, (("h", None),)),
    ]


def _compressed(name: Compression, value: bytes) -> bytes:
    made = compressor(name)
    assert made is not None
    return made.compress(value)


_READERS: list[ReadCodec] = ["auto", "raw"]


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_compression_of_producers_is_undone_where_asked_for(name: Compression) -> None:
    """As the data of a record or inside of an aggregate; never otherwise, and never twice."""
    data = _compressed(name, b"plain" * 50)
    packed = kpl.aggregate(b"k", [kpl_wire.record(data, b"")])
    whole = Plain(b"k", b"plain" * 50, -1)
    assert [decoded("k", data, Decoder(codec, "auto")) for codec in _READERS] == [[whole], [whole]]
    assert decoded("k", packed, Decoder("auto", "auto")) == [whole]
    assert decoded("k", data) is None
    assert decoded("k", packed) == [Plain(b"k", data, -1)]
    assert decoded("k", _compressed("gzip", data), Decoder("auto", "auto")) == [Plain(b"k", data, -1)]
