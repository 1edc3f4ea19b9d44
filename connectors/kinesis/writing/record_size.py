"""What the stream cannot take, known before it is sent."""

from collections.abc import Iterator, Sequence

from connectors.base import Batch, Rejected
from connectors.codecs.codec import Codec
from connectors.kinesis.summary import Summary


class RecordSize:
    """Compares records with the largest that a stream takes: data as encoded, and partition key."""

    def __init__(self, codec: Codec, summary: Summary) -> None:
        self._codec = codec
        self._summary = summary

    def rejections(self, batch: Batch) -> tuple[Rejected, ...]:
        """As ``Sink.inspect``: what the codec refuses, and what is too large."""
        refused = self._codec.refusals(batch)
        large = list(self._suspects(batch))
        if not large:
            return refused
        known = {each.index for each in refused}
        found = self._too_large(batch, [index for index in large if index not in known])
        return tuple(sorted((*refused, *found), key=_index)) if found else refused

    def too_small_for(self, largest_record: int) -> str:
        """As ``Sink.too_small_for``."""
        limit = self._summary.largest_record
        if largest_record <= limit:
            return ""
        needed = -(-largest_record // 1024)
        return f"stream {self._summary.arn} has MaxRecordSizeInKiB={limit // 1024}, needs {needed}"

    def _suspects(self, batch: Batch) -> Iterator[int]:
        """The records that may be too large, by a bound that costs little."""
        largest, limit = self._codec.largest, self._summary.largest_record
        origins = batch.origins or ()
        if batch.headers is None and largest(sum(map(_longest, (batch.keys, batch.values, origins))), 1) <= limit:
            return
        longest_origin = _longest(origins)
        for index, (key, value) in enumerate(zip(batch.keys, batch.values, strict=True)):
            headers = batch.headers[index] if batch.headers is not None else ()
            headers_size = sum(len(name.encode()) + len(text or b"") for name, text in headers)
            size = len(key or b"") + len(value or b"") + headers_size + longest_origin
            if largest(size, len(headers) + 1) > limit:
                yield index

    def _too_large(self, batch: Batch, suspects: list[int]) -> list[Rejected]:
        codec, limit = self._codec, self._summary.largest_record
        names, encode = codec.partition_keys(batch), codec.encoder(batch)
        found = []
        for index in suspects:
            size = len(codec.entry(names[index], (encode(index),))) + len(names[index].encode())
            if size > limit:
                found.append(
                    Rejected(
                        index,
                        "too_large",
                        f"{size} bytes as a Kinesis record, the stream takes {limit}: raise its MaxRecordSizeInKiB",
                        "once that is raised, kmbridge lane retry tries again",
                    )
                )
        return found


def _longest(column: Sequence[bytes | None]) -> int:
    return max(map(len, filter(None, column)), default=0)


def _index(rejected: Rejected) -> int:
    return rejected.index
