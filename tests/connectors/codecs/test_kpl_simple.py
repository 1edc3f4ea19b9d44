"""The short way to read aggregates, beside the long one."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.codecs import kpl
from connectors.codecs.compression import Decompressor
from connectors.codecs.kpl_codec import KplCodec, Restored, restored
from connectors.codecs.kpl_simple import SimpleReader
from tests.connectors.codecs.records import Plain, any_record, batch_of

_sizes = some.integers(0, 400) | some.sampled_from([127, 128, 16_383, 16_384, 70_000])
_rows = some.lists(some.tuples(_sizes, some.integers(10**12, 10**13 - 1), some.integers(1, 300)), max_size=4)
_keys = some.text(min_size=1, max_size=140).filter(lambda key: len(key.encode()) < 128)


def message(key: str, records: list[Plain], origins: list[bytes] | None) -> bytes:
    """As it stands between the magic bytes and the MD5."""
    encode = KplCodec().encoder(batch_of(records, origins))
    return kpl.aggregate(key.encode(), [encode(index) for index in range(len(records))])[4:-16]


def long_way(body: bytes) -> list[Restored] | None:
    aggregate = kpl.unpacked(body)
    if aggregate is None:
        return None
    return [restored(aggregate, index, Decompressor()) for index in range(len(aggregate.keys))]


def short_way(body: bytes, reader: SimpleReader | None = None) -> list[Restored] | None:
    simple = (reader or SimpleReader()).read(body)
    if simple is None:
        return None
    columns = zip(simple.values, simple.timestamps_ms, simple.headers, strict=True)
    return [(simple.key, value, time, headers) for value, time, headers in columns]


@pytest.mark.parametrize("has_origins", [True, False])
@given(key=_keys, rows=_rows)
def test_simple_records_are_read_alike(key: str, rows: list[tuple[int, int, int]], *, has_origins: bool) -> None:
    """Whatever their number and sizes: as the protobuf library has them."""
    records = [Plain(key.encode(), b"v" * size, time) for size, time, _ in rows]
    body = message(key, records, [b"o" * size for _, _, size in rows] if has_origins else None)
    found = short_way(body)
    assert found == long_way(body)
    assert found is not None


_READER = SimpleReader()


@given(
    records=some.lists(
        any_record | some.builds(Plain, some.just(b"k"), some.binary(max_size=20)), min_size=1, max_size=3
    ),
    data=some.data(),
)
def test_what_is_damaged_or_not_simple_is_never_read_otherwise(records: list[Plain], data: some.DataObject) -> None:
    """Bytes changed, cut or added: it is read as the protobuf library reads it, or is left to that."""
    body = bytearray(message("k", records, [b"kafka:c:t/0/1>here"] * len(records)))
    for _ in range(data.draw(some.integers(0, 3))):
        body[data.draw(some.integers(0, len(body) - 1))] = data.draw(some.integers(0, 255))
    cut = data.draw(some.just(len(body)) | some.integers(0, len(body)))
    changed = bytes(body[:cut]) + data.draw(some.just(b"") | some.binary(max_size=2))
    found = short_way(changed, _READER)
    assert found is None or found == long_way(changed)
