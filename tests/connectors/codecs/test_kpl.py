"""Aggregated records of the Kinesis Producer Library."""

from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.codecs.kpl import MAGIC, decode, hash_of
from tests.connectors.codecs.aggregates import aggregate, sealed

# partition_key_table ["a", "b"], explicit_hash_key_table ["7"], records (a, hash 7, "one"), (b, "two" with a tag t=v).
_BODY = bytes.fromhex(
    "0a01610a016212013 71a09 0800 1000 1a036f6e65 1a0f 0801 1a0374776f 22060a0174120176".replace(" ", "")
)


def test_an_aggregate_of_the_documented_layout_is_taken_apart() -> None:
    """Bytes put together by hand from the published format give keys, values, hash keys and tags."""
    found = decode(MAGIC + _BODY + md5(_BODY, usedforsecurity=False).digest())
    assert found is not None
    assert found.keys == [b"a", b"b"]
    assert found.values == [b"one", b"two"]
    assert found.hash_keys == [7, None]
    assert found.tags == [(), ((b"t", b"v"),)]


@pytest.mark.parametrize(
    ("key", "hash_key"),
    [(b"a", 16955237001963240173058271559858726497), (b"user1", 48900430532020830442050270794663993245)],
)
def test_a_keys_hash_is_the_one_that_kinesis_uses(key: bytes, hash_key: int) -> None:
    """MD5 as a big-endian number, by vectors observed at the service."""
    assert hash_of(key) == hash_key


def test_explicit_hash_keys_decide_where_a_record_belongs() -> None:
    """A record with one is placed by it, the others by their key."""
    found = decode(aggregate([(b"a", b"1"), (b"a", b"2")], [None, 5]))
    assert found is not None
    assert not found.within(0, 5)
    assert found.within(5, hash_of(b"a"))
    assert not found.within(6, hash_of(b"a"))


_GOOD = aggregate([(b"k", b"v")])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MAGIC,
        MAGIC[:3],
        MAGIC + bytes(16),
        b"\x00" + _GOOD[1:],
        _GOOD[:-1] + bytes([_GOOD[-1] ^ 1]),
        sealed(b"\xff\xff\xff"),
        sealed(b"\x1a\x04\x08\x05\x1a\x00"),
        sealed(b"\x1a\x0d\x08" + b"\xff" * 9 + b"\x01\x1a\x00"),
        sealed(b"\x0a\x01a\x12\x01x\x1a\x06\x08\x00\x10\x00\x1a\x00"),
    ],
    ids=[
        "empty",
        "magic alone",
        "short",
        "no body",
        "other magic",
        "digest differs",
        "no protobuf",
        "key outside of the table",
        "huge index",
        "hash key is no number",
    ],
)
def test_what_is_no_aggregate_is_left_as_it_is(data: bytes) -> None:
    """Neither cut, damaged nor senseless aggregates are taken apart, and none raises."""
    assert decode(data) is None


def test_keys_that_are_not_utf8_arrive_as_they_were_sent() -> None:
    """The schema calls them text; what producers send decides."""
    found = decode(aggregate([(b"\xff\xfe", b"v")]))
    assert found is not None
    assert found.keys == [b"\xff\xfe"]


def test_an_aggregate_may_be_empty() -> None:
    """A message without records is an aggregate of none."""
    found = decode(sealed(b"\x0a\x01a"))
    assert found is not None
    assert found.keys == found.values == []


@given(some.lists(some.tuples(some.binary(max_size=20), some.binary(max_size=200)), max_size=30))
def test_what_was_packed_is_unpacked(records: list[tuple[bytes, bytes]]) -> None:
    """Keys and values of any bytes come back in order."""
    found = decode(aggregate(records))
    if records:
        assert found is not None
        assert list(zip(found.keys, found.values, strict=True)) == records


@given(some.binary(max_size=300))
def test_any_bytes_can_be_read(body: bytes) -> None:
    """No data raises, sealed as an aggregate or not."""
    decode(body)
    decode(MAGIC + body)
    decode(sealed(body))


@given(some.data())
def test_damaged_aggregates_can_be_read(data: some.DataObject) -> None:
    """A valid message with bytes changed, its digest made to fit, is unpacked or left alone."""
    body = bytearray(aggregate([(b"key", b"value"), (b"other", b"")], [3, None])[4:-16])
    for _ in range(data.draw(some.integers(1, 4))):
        body[data.draw(some.integers(0, len(body) - 1))] = data.draw(some.integers(0, 255))
    decode(sealed(bytes(body)))
