"""Records as they are: the value is the data, the key is the partition key.

What has no place there is refused instead of lost, all but the timestamp, which readers replace by the time of arrival.
Origins are not carried.
"""

from collections.abc import Sequence

from connectors.base import Batch, Header, Rejected
from connectors.codecs.codec import Codec, Encode
from connectors.codecs.keys import LONGEST, all_plain, partition_keys, plain, units

_KEPT = "sink.kinesis.codec: kpl or envelope keeps it"
_REMEDY = "another sink.kinesis.codec holds from a restart on"


class RawCodec(Codec):
    """Refuses null keys, keys that are not 1 to 256 characters of UTF-8, null values and headers."""

    @property
    def carries_origins(self) -> bool:
        return False

    @property
    def packs(self) -> bool:
        return False

    def refusals(self, batch: Batch) -> tuple[Rejected, ...]:
        if batch.headers is None and None not in batch.values and all_plain(batch.keys) is not None:
            return ()
        headers = batch.headers or [()] * len(batch)
        columns = zip(batch.keys, batch.values, headers, strict=True)
        refused = [(index, _refused(key, value, own)) for index, (key, value, own) in enumerate(columns)]
        found = ((index, *why) for index, why in refused if why is not None)
        return tuple(Rejected(index, word, f"{cause}; {_KEPT}", _REMEDY) for index, word, cause in found)

    def partition_keys(self, batch: Batch) -> Sequence[str]:
        return partition_keys(batch)

    def encoder(self, batch: Batch) -> Encode:
        return [value or b"" for value in batch.values].__getitem__

    def entry(self, partition_key: str, parts: Sequence[bytes]) -> bytes:
        (part,) = parts
        return part

    def largest(self, size: int, headers: int) -> int:
        return size + LONGEST


def _refused(key: bytes | None, value: bytes | None, headers: tuple[Header, ...]) -> tuple[str, str] | None:
    """Why a record cannot be written as it is: a word, and what was found."""
    if key is None:
        return "null_key", "the key is null, and Kinesis needs a partition key"
    if plain(key) is None:
        return _refused_key(key)
    if value is None:
        return "null_value", "the value is null (a tombstone), and Kinesis has only empty data"
    if headers:
        names = ", ".join(dict.fromkeys(name for name, _ in headers))
        return "headers", f"the record has headers ({names}), and Kinesis has none"
    return None


def _refused_key(key: bytes) -> tuple[str, str]:
    if not key:
        return "empty_key", f"the key is empty, and a partition key has 1 to {LONGEST} characters"
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return "binary_key", "the key is not text in UTF-8, as a partition key must be"
    return "long_key", f"the key has {units(text)} characters, and a partition key at most {LONGEST}"
