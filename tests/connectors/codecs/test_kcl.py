"""Amazon's own client library reads our aggregates, and its message classes write what we read."""

import pytest

from connectors.codecs.catalogue import codec_named
from tests.connectors.codecs.records import Plain, batch_of, decoded, entries
from tests.support import kcl
from tests.support.missing import give_up
from tests.support.provision import MissingServerError, kcl_jars

RECORDS = [
    Plain(b"user1", b"value"),
    Plain("Schlüssel".encode(), "Wert \U0001f40e".encode(), 0, (("trace", b"1"), ("trace", None), ("bin", b"\xff"))),
    Plain(b"k" * 256, b"\x00\xff" * 3_000, -1),
    Plain(None, b"without a key", 2**62),
    Plain(b"\xff\xfe", b"binary key"),
    Plain(b"k" * 300, b"long key"),
    Plain(b"user1", None),
    Plain(b"user1", b""),
]


@pytest.fixture(autouse=True)
def _library() -> None:
    try:
        kcl_jars()
    except MissingServerError as error:
        give_up(error)


def test_kcl_sees_plain_keys_and_values() -> None:
    """Tags are invisible, a tombstone is empty, a key that is no text is its surrogate, and no record is dropped.

    The shard has no room for any other hash than that of the entry's partition key.
    """
    written = entries(codec_named("kpl"), batch_of(RECORDS, [b"origin"] * len(RECORDS)))
    found = kcl.unpack([(key.encode(), data) for key, data in written])
    assert found == [[(key.encode(), record.value or b"")] for (key, _), record in zip(written, RECORDS, strict=True)]


def test_kcl_keeps_the_order_within_an_aggregate() -> None:
    """Records of one key come one by one as they were packed."""
    records = [Plain(b"user1", b"%d" % number) for number in range(1_000)]
    codec = codec_named("kpl")
    encode = codec.encoder(batch_of(records, [b"origin"] * len(records)))
    data = codec.entry("user1", [encode(index) for index in range(len(records))])
    assert kcl.unpack([(b"user1", data)]) == [[(b"user1", record.value) for record in records]]


def test_what_the_official_classes_write_is_read() -> None:
    """Keys, values and order, with explicit hash keys and tags among them."""
    users = [(b"user%d" % number, b"value-%d" % number * number) for number in range(50)]
    users.append(("Schlüssel".encode(), b"\x00\xff" * 40_000))
    [data] = kcl.pack([users])
    assert decoded("a", data) == [Plain(key, value, -1) for key, value in users]
