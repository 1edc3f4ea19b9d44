"""Raw refuses what it would lose."""

import pytest

from connectors.base import SettingsError
from connectors.codecs.catalogue import codec_named
from connectors.codecs.raw import RawCodec
from tests.connectors.codecs.records import Plain, batch_of, entries


def test_value_and_key_are_data_and_partition_key() -> None:
    """Byte for byte, empty data included."""
    batch = batch_of([Plain(b"a", b"\x00\xff"), Plain("Schlüssel".encode(), b"")])
    assert RawCodec().refusals(batch) == ()
    assert entries(RawCodec(), batch) == [("a", b"\x00\xff"), ("Schlüssel", b"")]


@pytest.mark.parametrize(
    ("record", "reason", "found"),
    [
        (Plain(key=None), "null_key", "the key is null"),
        (Plain(key=b""), "empty_key", "the key is empty"),
        (Plain(key=b"\xff"), "binary_key", "not text in UTF-8"),
        (Plain(key=b"k" * 257), "long_key", "257 characters"),
        (Plain(key=("\U0001f40e" * 129).encode()), "long_key", "258 characters"),
        (Plain(value=None), "null_value", "tombstone"),
        (Plain(headers=(("trace", b"1"), ("trace", None))), "headers", "headers (trace)"),
    ],
)
def test_what_has_no_place_is_refused_with_the_remedy(record: Plain, reason: str, found: str) -> None:
    """Only that record, with a word for metrics, and with what was found and which setting keeps it."""
    [rejected] = RawCodec().refusals(batch_of([Plain(), record, Plain()]))
    assert (rejected.index, rejected.reason) == (1, reason)
    assert found in rejected.detail
    assert "sink.kinesis.codec" in rejected.detail


def test_it_carries_no_origins() -> None:
    """Whoever needs them is told before the first record."""
    assert not RawCodec().carries_origins
    assert codec_named("kpl").carries_origins
    assert codec_named("envelope").carries_origins


def test_compression_is_refused() -> None:
    """A reader could not know of it."""
    with pytest.raises(SettingsError, match="use codec kpl or envelope"):
        codec_named("raw", "zstd")
