"""Records as aggregates of the Kinesis Producer Library: nothing is lost, and its consumers see plain key and value.

An entry is one aggregate of records of one partition key, also where it holds a single record: the tags, which carry
what Kinesis has no place for, exist only there.
"""

from collections.abc import Mapping, Sequence

from connectors.base import Batch, Header, Rejected
from connectors.codecs import kpl, kpl_tags, kpl_wire
from connectors.codecs.codec import Codec, Encode
from connectors.codecs.compression import Compressor, Decompressor
from connectors.codecs.keys import all_plain, is_plain, partition_keys
from connectors.codecs.kpl_simple import TIME_DIGITS

_LARGEST_GROWTH = 2
"""Base64 makes four bytes of three, and a key stands there twice where it is none of Kinesis."""
_LARGEST_FRAME = 64
"""Bytes about a header: its tag with three sizes, the prefix of its name, the end of base64."""
_LARGEST_EMPTY = 1024
"""Bytes of an aggregate of nothing, and of the surrogate of a key, as partition key of the record and in it."""


class KplCodec(Codec):
    """Writes what ``restored`` reads."""

    def __init__(self, compressor: Compressor | None = None) -> None:
        self._compressor = compressor

    @property
    def carries_origins(self) -> bool:
        return True

    @property
    def packs(self) -> bool:
        return True

    def refusals(self, batch: Batch) -> tuple[Rejected, ...]:
        return ()

    def partition_keys(self, batch: Batch) -> Sequence[str]:
        return partition_keys(batch)

    def encoder(self, batch: Batch) -> Encode:
        are_plain = all_plain(batch.keys) is not None
        other_keys = {} if are_plain else {index: key for index, key in enumerate(batch.keys) if not is_plain(key)}
        values = [value for value in batch.values if value is not None]
        times = batch.timestamps_ms
        is_simple = (
            not other_keys
            and self._compressor is None
            and batch.headers is None
            and len(values) == len(batch)
            and bool(times)
            and 10 ** (TIME_DIGITS - 1) <= min(times) <= max(times) < 10**TIME_DIGITS
        )
        if is_simple:
            return _simple(values, times, batch.origins or [b""] * len(values))
        return _general(batch, other_keys, self._compressor)

    def entry(self, partition_key: str, parts: Sequence[bytes]) -> bytes:
        return kpl.aggregate(partition_key.encode(), parts)

    def largest(self, size: int, headers: int) -> int:
        return _LARGEST_GROWTH * size + _LARGEST_FRAME * headers + _LARGEST_EMPTY


def _simple(values: Sequence[bytes], times: Sequence[int], origins: Sequence[bytes]) -> Encode:
    """For records that have nothing but key, value, time and origin. Sizes repeat, so what depends on them is kept."""
    time_head = kpl_wire.tag_head(kpl_tags.TIMESTAMP, TIME_DIGITS)
    time_size = len(time_head) + TIME_DIGITS
    record_heads: dict[tuple[int, int], bytes] = {}
    origin_heads: dict[int, bytes] = {0: b""}

    def heads(size: int, origin_size: int) -> bytes:
        if origin_size not in origin_heads:
            origin_heads[origin_size] = kpl_wire.tag_head(kpl_tags.ORIGIN, origin_size)
        tags_size = time_size + len(origin_heads[origin_size]) + origin_size
        head = record_heads[size, origin_size] = kpl_wire.record_head(size, tags_size)
        return head

    def encode(index: int) -> bytes:
        value, origin = values[index], origins[index]
        size, origin_size = len(value), len(origin)
        head = record_heads.get((size, origin_size)) or heads(size, origin_size)
        return b"".join((head, value, time_head, b"%d" % times[index], origin_heads[origin_size], origin))

    return encode


def _general(batch: Batch, other_keys: Mapping[int, bytes | None], compressor: Compressor | None) -> Encode:
    values, times, headers, origins = batch.values, batch.timestamps_ms, batch.headers, batch.origins
    write = kpl_wire.tag_writer()

    def encode(index: int) -> bytes:
        value = values[index]
        tags = [write(kpl_tags.TIMESTAMP, b"%d" % times[index])]
        if index in other_keys:
            tags.append(write(*kpl_tags.of_key(other_keys[index])))
        if value is None:
            value = b""
            tags.append(write(kpl_tags.NULL_VALUE, None))
        elif compressor is not None and (smaller := compressor.smaller(value)) is not None:
            value = smaller
            tags.append(write(kpl_tags.COMPRESSION, compressor.name.encode()))
        if headers is not None:
            tags += [write(*kpl_tags.of_header(name, text)) for name, text in headers[index]]
        if origins is not None:
            tags.append(write(kpl_tags.ORIGIN, origins[index]))
        return kpl_wire.record(value, b"".join(tags))

    return encode


Restored = tuple[bytes | None, bytes | None, int | None, tuple[Header, ...]]
"""Key, value, time and headers; without a time the record is another producer's."""


def restored(aggregate: kpl.Aggregate, index: int, decompressor: Decompressor) -> Restored:
    """A record as it was before ``KplCodec`` wrote it; one of another producer as it stands."""
    key, value = aggregate.keys[index], aggregate.values[index]
    told = kpl_tags.read(aggregate.tags[index])
    if told is None:
        return key, value, None, ()
    if told.compression is not None:
        undone = decompressor.undo(told.compression, value)
        if undone is None:
            return key, value, None, ()
        value = undone
    return (
        told.key if told.has_other_key else key,
        None if told.is_null else value,
        told.timestamp_ms,
        tuple(told.headers),
    )
