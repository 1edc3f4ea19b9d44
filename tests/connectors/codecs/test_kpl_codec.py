"""The bytes of docs/codecs.md, section kpl."""

from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.base import ORIGIN_HEADER, REPLAY_HEADER
from connectors.codecs import kpl
from connectors.codecs.compression import Compression, compressor
from connectors.codecs.kpl_codec import KplCodec
from tests.connectors.codecs.records import Plain, batch_of, decoded, entries

_TIME = "22230a126b6d6272696467652d74696d657374616d70120d31373935343930343938303030"
"""The tag kmbridge-timestamp = 1795490498000."""


def _sealed(body: str) -> str:
    return "f3899ac2" + body + md5(bytes.fromhex(body), usedforsecurity=False).hexdigest()


def test_a_record_is_an_aggregate_of_one() -> None:
    """Magic, partition key, record with index, data and time, digest: every byte."""
    [(key, data)] = entries(KplCodec(), batch_of([Plain(b"user1", b"hello")]))
    assert key == "user1"
    assert data.hex() == _sealed("0a057573657231" + "1a2e" + "0800" + "1a0568656c6c6f" + _TIME)
    assert data.hex()[-32:] == "b6cf03d7331bba427892dc3146ef9fd8"


def test_the_origin_of_this_hop_is_the_last_tag() -> None:
    """Every byte of a record that a mirror writes."""
    [(_, data)] = entries(KplCodec(), batch_of([Plain(b"k", b"v")], [b"a>b"]))
    origin = "2216" + "0a0f6b6d6272696467652d6f726967696e" + "1203613e62"
    assert data.hex() == _sealed("0a016b" + "1a42" + "0800" + "1a0176" + _TIME + origin)


@pytest.mark.parametrize(
    ("record", "tags"),
    [
        (Plain(key=None), [("kmbridge-key", None)]),
        (Plain(key=b""), [("kmbridge-key", "")]),
        (Plain(key=b"\xff\xfe"), [("kmbridge-key", "//4=")]),
        (Plain(value=None), [("kmbridge-null-value", None)]),
        (
            Plain(headers=(("a", b"text"), ("a", None), ("b", b"\xff"), (ORIGIN_HEADER, b"x>y"), (REPLAY_HEADER, b""))),
            [
                ("kmbridge-h:a", "text"),
                ("kmbridge-h:a", None),
                ("kmbridge-b:b", "/w=="),
                ("kmbridge-origin", "x>y"),
                ("kmbridge-replay", ""),
            ],
        ),
        (
            Plain(headers=((ORIGIN_HEADER, b"\xff"), (ORIGIN_HEADER, None))),
            [("kmbridge-b:kmbridge-origin", "/w=="), ("kmbridge-origin", None)],
        ),
    ],
    ids=["null key", "empty key", "binary key", "null value", "headers", "odd origins"],
)
def test_what_kinesis_has_no_place_for_is_a_tag(record: Plain, tags: list[tuple[str, str | None]]) -> None:
    """Names and values as documented, in this order behind the time."""
    assert _tags(KplCodec(), record) == [("kmbridge-timestamp", "1795490498000"), *tags]


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_compression_is_named_in_a_tag(name: Compression) -> None:
    """Behind key and null value, ahead of the headers."""
    codec = KplCodec(compressor(name))
    tags = _tags(codec, Plain(b"\xff", bytes(100), headers=(("a", None),)))
    assert [key for key, _ in tags] == ["kmbridge-timestamp", "kmbridge-key", "kmbridge-compression", "kmbridge-h:a"]
    assert tags[2] == ("kmbridge-compression", name)


def _tags(codec: KplCodec, record: Plain) -> list[tuple[str, str | None]]:
    """Decoding them fails where they are not text."""
    [(_, data)] = entries(codec, batch_of([record]))
    found = kpl.decode(data)
    assert found is not None
    return [(key.decode(), None if value is None else value.decode()) for key, value in found.tags[0]]


_values = some.binary(max_size=200) | some.integers(0, 300).map(lambda size: b"x" * size * size)
_times = some.integers(10**12, 10**13 - 1) | some.sampled_from([0, 10**12 - 1, 10**12, 10**13 - 1, 10**13])
_origins = some.integers(1, 400).map(lambda size: b"o" * size)


@pytest.mark.parametrize("has_origins", [True, False])
@given(rows=some.lists(some.tuples(_values, _times, _origins), min_size=1))
def test_the_short_way_writes_the_same_bytes(rows: list[tuple[bytes, int, bytes]], *, has_origins: bool) -> None:
    """A record alone among simple ones is written as it is beside one that is not simple."""
    records = [Plain(b"k", value, time) for value, time, _ in rows]
    origins = [origin for _, _, origin in rows]
    simple = batch_of(records, origins if has_origins else None)
    beside = batch_of([*records, Plain(None)], [*origins, b"o"] if has_origins else None)
    assert entries(KplCodec(), simple) == entries(KplCodec(), beside)[:-1]


def test_large_records_are_packed() -> None:
    """Lengths of every number of bytes that a record of Kinesis can have."""
    records = [Plain(b"k", b"v" * size) for size in (0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 10_485_760)]
    assert [decoded(*entry) for entry in entries(KplCodec(), batch_of(records))] == [[record] for record in records]
