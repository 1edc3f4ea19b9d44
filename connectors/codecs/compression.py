"""Values made smaller on writing and whole again on reading.

A compressed value is one gzip member (RFC 1952) or one Zstandard frame (RFC 8878) with nothing behind it. What would
grow beyond ``LARGEST`` bytes is neither made nor undone: a few bytes may claim any size.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import zstandard

Compression = Literal["none", "gzip", "zstd"]

LARGEST = 64 * 1024 * 1024
"""Bytes of a value before compression."""

GZIP_MAGIC = b"\x1f\x8b\x08"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

_GZIP_WINDOW = 31  # zlib's name for: 32 KiB, with the header and trailer of gzip
_GZIP_LEVEL = 6
_ZSTD_LEVEL = 3
# The library bounds no output. So much of a frame becomes 16 MiB at most: four bytes may stand for 128 KiB.
_STEP = 512


@dataclass(frozen=True, slots=True)
class Compressor:
    """Compresses one value after another. Not for several threads at once."""

    name: str
    """What the reading side is told."""
    compress: Callable[[bytes], bytes]

    def smaller(self, value: bytes) -> bytes | None:
        """``value`` compressed; None where that saves nothing, or could not be undone."""
        if len(value) > LARGEST:
            return None
        compressed = self.compress(value)
        return compressed if len(compressed) < len(value) else None


def compressor(compression: Compression) -> Compressor | None:
    """What compresses as told; None for ``none``."""
    match compression:
        case "gzip":
            return Compressor("gzip", partial(zlib.compress, level=_GZIP_LEVEL, wbits=_GZIP_WINDOW))
        case "zstd":
            return Compressor("zstd", zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress)
        case "none":
            return None


class Decompressor:
    """Undoes compression, whatever bytes it is given. Not for several threads at once."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdDecompressor(max_window_size=LARGEST)

    def undo(self, name: str, data: bytes) -> bytes | None:
        """``data`` before it was compressed with ``name``; None where it is not wholly that, or larger than allowed."""
        match name:
            case "gzip":
                return inflated(data, _GZIP_WINDOW)
            case "zstd":
                return self._unzstd(data)
            case _:
                return None

    def recognised(self, data: bytes) -> bytes | None:
        """``data`` undone if it begins as gzip or Zstandard does, and is wholly that; else None."""
        if data.startswith(GZIP_MAGIC):
            return inflated(data, _GZIP_WINDOW)
        return self._unzstd(data) if data.startswith(ZSTD_MAGIC) else None

    def _unzstd(self, data: bytes) -> bytes | None:
        stream, parts, size = self._zstd.decompressobj(), [], 0
        try:
            for start in range(0, len(data), _STEP):
                parts.append(stream.decompress(data[start : start + _STEP]))
                size += len(parts[-1])
                if stream.eof or size > LARGEST:
                    wholly = start + _STEP >= len(data) and not stream.unused_data
                    return b"".join(parts) if wholly and size <= LARGEST else None
        except zstandard.ZstdError:
            pass
        return None


def inflated(data: bytes, window: int = zlib.MAX_WBITS) -> bytes | None:
    """``data`` before zlib made it smaller; None where it is not wholly that, or larger than allowed."""
    stream = zlib.decompressobj(window)
    try:
        value = stream.decompress(data, LARGEST + 1)
    except zlib.error:
        return None
    return value if stream.eof and not stream.unused_data and len(value) <= LARGEST else None
