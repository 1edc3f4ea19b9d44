"""Compressed values are undone only where they wholly are what they claim, and within bounds."""

import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as some

from connectors.codecs.catalogue import codec_named
from connectors.codecs.compression import GZIP_MAGIC, LARGEST, ZSTD_MAGIC, Compression, Decompressor, compressor
from tests.connectors.codecs.records import Plain, batch_of, decoded, entries

MIB = 1024 * 1024


def _gzip(value: bytes) -> bytes:
    return zlib.compress(value, wbits=31)


def _zstd(value: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(value)


def _zstd_of_unknown_size(value: bytes) -> bytes:
    stream = zstandard.ZstdCompressor().compressobj()
    return stream.compress(value) + stream.flush()


every_kind = pytest.mark.parametrize("compress", [_gzip, _zstd, _zstd_of_unknown_size])


@every_kind
@given(some.binary(max_size=3_000))
def test_what_producers_compress_is_undone(compress: Callable[[bytes], bytes], value: bytes) -> None:
    """Of any size, also where the frame does not tell it."""
    assert Decompressor().recognised(compress(value)) == value


@every_kind
@pytest.mark.parametrize("size", [0, 100, 500, 511, 512, 513, 1_500])
def test_what_is_cut_or_followed_by_more_is_left(compress: Callable[[bytes], bytes], size: int) -> None:
    """Data that only begins as compressed is not what it seems."""
    data = compress(zlib.crc32(b"%d" % size).to_bytes(4, "big") * (size // 4) + bytes(range(256)) * (size // 256))
    undo = Decompressor().recognised
    assert undo(data) is not None
    assert [undo(data[:end]) for end in range(len(data)) if undo(data[:end]) is not None] == []
    assert undo(data + b"\x00") is None
    assert undo(data + data) is None


@every_kind
def test_what_would_become_too_large_is_left(compress: Callable[[bytes], bytes]) -> None:
    """The limit itself is reached."""
    assert Decompressor().recognised(compress(bytes(LARGEST + 1))) is None
    whole = Decompressor().recognised(compress(bytes(LARGEST)))
    assert whole is not None
    assert len(whole) == LARGEST


@pytest.mark.parametrize("stream", [zlib.compressobj(wbits=31), zstandard.ZstdCompressor().compressobj()])
def test_a_bomb_does_not_go_off(stream: Any) -> None:
    """What claims 256 MiB takes no more memory than the largest allowed, put together from its parts."""
    bomb = b"".join(stream.compress(bytes(MIB)) for _ in range(256)) + stream.flush()
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        assert Decompressor().recognised(bomb) is None
        assert tracemalloc.get_traced_memory()[1] < 3 * LARGEST
    finally:
        tracemalloc.stop()


@given(some.sampled_from([b"", GZIP_MAGIC, ZSTD_MAGIC]), some.binary(max_size=300))
def test_any_bytes_can_be_given(begin: bytes, rest: bytes) -> None:
    """Nothing raises, whatever follows the magic bytes."""
    for name in ("gzip", "zstd", "lz4", ""):
        Decompressor().undo(name, begin + rest)
    Decompressor().recognised(begin + rest)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_decompressor_goes_on_after_damaged_data(name: Compression) -> None:
    """One broken value does not spoil the next."""
    made = compressor(name)
    assert made is not None
    good = made.compress(b"value" * 100)
    undo = Decompressor().undo
    assert undo(name, good[:20]) is None
    assert undo(name, good[:12] + b"\xff" * 40) is None
    assert undo(name, good) == b"value" * 100


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_what_would_not_shrink_is_written_as_it_is(name: Compression) -> None:
    """A short value travels plain, a long one is smaller than before, and both come back."""
    codec = codec_named("kpl", name)
    short, long = Plain(value=b"\x00\x01"), Plain(value=b"value" * 1_000)
    [(_, plain), (_, packed)] = written = entries(codec, batch_of([short, long]))
    assert b"kmbridge-compression" not in plain
    assert len(packed) < 500
    assert [decoded(*entry) for entry in written] == [[short], [long]]


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_what_could_not_be_undone_is_not_compressed(name: Compression) -> None:
    """The sink then says that it is too large, instead of a reader that it cannot read it."""
    made = compressor(name)
    assert made is not None
    assert made.smaller(bytes(LARGEST + 1)) is None
