"""Records of any system, their way through a codec, and every record that Kafka can hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as some

from connectors.base import ORIGIN_HEADER, REPLAY_HEADER, Batch, Header, Place
from connectors.codecs.codec import Codec
from connectors.codecs.decoding import Decoder


@dataclass(frozen=True, slots=True)
class Plain:
    """A record without its place."""

    key: bytes | None = b"key"
    value: bytes | None = b"value"
    timestamp_ms: int = 1_795_490_498_000
    headers: tuple[Header, ...] = ()


def batch_of(records: Sequence[Plain], origins: Sequence[bytes] | None = None) -> Batch:
    """``records`` as partition 3 of a source holds them, from position 100 on."""
    headers = [record.headers for record in records]
    return Batch(
        "3",
        Place(str(100 + len(records))),
        [str(100 + index) for index in range(len(records))],
        [record.key for record in records],
        [record.value for record in records],
        [record.timestamp_ms for record in records],
        headers if any(headers) else None,
        origins,
    )


def entries(codec: Codec, batch: Batch) -> list[tuple[str, bytes]]:
    """Partition key and data of a Kinesis record for each record of ``batch``."""
    encode = codec.encoder(batch)
    keys = codec.partition_keys(batch)
    return [(key, codec.entry(key, [encode(index)])) for index, key in enumerate(keys)]


def decoded(key: str, data: bytes, decoder: Decoder | None = None) -> list[Plain] | None:
    """The records in an entry; None when it is plain data."""
    found = (decoder or Decoder()).decode(key.encode(), data)
    if found is None:
        return None
    columns = zip(found.keys, found.values, found.timestamps_ms, found.headers, strict=True)
    return [Plain(key, value, time if time is not None else -1, headers) for key, value, time, headers in columns]


_text = some.text(max_size=300).map(str.encode)
_bytes = some.binary(max_size=300)
_names = some.text(max_size=20) | some.sampled_from([ORIGIN_HEADER, REPLAY_HEADER, "kmbridge-h:x", "kmbridge-key"])
_headers = some.lists(some.tuples(_names, some.none() | _text | _bytes), max_size=6)

any_record = some.builds(
    Plain,
    some.none() | _text | _bytes,
    some.none() | _text | _bytes | some.integers(0, 2_000).map(lambda count: b"ab" * count),
    some.integers(-1, 2**63 - 1),
    some.just(()) | _headers.map(tuple),
)
"""Every record that Kafka can hold, in small."""
