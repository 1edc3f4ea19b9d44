"""What a topic's settings say about records that its brokers would refuse, or delete."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.base import ORIGIN_HEADER, Batch, Header, Rejected, Setting

_BATCH_HEADER = 61
_RECORD_OVERHEAD = 1 + 1 + 1 + 5 + 5 + 5 + 5
_HEADER_OVERHEAD = 5 + 5
_CLOCKS_DIFFER_MS = 60_000
_ORIGIN = 1024
"""More than any origin of one hop: names of streams, shards and topics are bounded."""
NO_BOUND = (1 << 63) - 1
"""Of a setting that is left out, or without a limit."""
_BEFORE, _AFTER = "message.timestamp.before.max.ms", "message.timestamp.after.max.ms"
_BOTH = "message.timestamp.difference.max.ms"

AFTER_A_CHANGE = "once the topic's setting is changed, kmbridge lane retry tries again"
"""The remedy of what a topic refuses."""

UNKNOWN_MAX_BYTES = 16 * 1024 * 1024
"""What is assumed where the broker does not tell: more than the 10 MiB that a Kinesis record can have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A topic's settings that decide about single records, as the broker checks them."""

    max_message_bytes: int = UNKNOWN_MAX_BYTES
    """Of a record batch as sent; here of one record alone, uncompressed."""
    before_max_ms: int = NO_BOUND
    """How far a record's time may lie behind the broker's clock."""
    after_max_ms: int = NO_BOUND
    """How far a record's time may lie ahead of the broker's clock."""
    compacted: bool = False
    """A compacted topic takes no record without a key."""
    before_setting: str = _BEFORE
    """Which setting says so. Before Kafka 3.6 there is one for both sides, which is still looked at until 4.0."""
    after_setting: str = _AFTER
    retention_ms: int = NO_BOUND
    """How old, by its own time, a record may be before it is deleted, however lately it was written."""
    retention_bytes: int = NO_BOUND
    """How many bytes a partition may have before its oldest records are deleted."""

    kept_ms: int = NO_BOUND
    """How long a record is kept, by whichever time counts for that."""

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> "Limits":
        """From the topic's configuration by its names. A topic that stamps records itself has no bound on times."""

        def bound(name: str) -> int:
            value = int(settings.get(name, NO_BOUND))
            return value if value >= 0 else NO_BOUND

        policy = settings.get("cleanup.policy", "")
        deletes, keeps_times = "delete" in policy, settings.get("message.timestamp.type") != "LogAppendTime"
        before, after = (_BOTH if bound(_BOTH) < bound(side) == NO_BOUND else side for side in (_BEFORE, _AFTER))
        return cls(
            max_message_bytes=int(settings.get("max.message.bytes", UNKNOWN_MAX_BYTES)),
            before_max_ms=bound(before) if keeps_times else NO_BOUND,
            after_max_ms=bound(after) if keeps_times else NO_BOUND,
            compacted="compact" in policy,
            before_setting=before,
            after_setting=after,
            retention_ms=bound("retention.ms") if deletes and keeps_times else NO_BOUND,
            retention_bytes=bound("retention.bytes") if deletes else NO_BOUND,
            kept_ms=bound("retention.ms") if deletes else NO_BOUND,
        )

    @property
    def largest_record(self) -> int | None:
        """What bounds records as they are sent: compressed ones may be larger. None where none is told."""
        return None if self.max_message_bytes == UNKNOWN_MAX_BYTES else self.max_message_bytes

    @property
    def kept_for_ms(self) -> int | None:
        """How long a record is kept; None without a limit, or where none is told."""
        return None if self.kept_ms == NO_BOUND else self.kept_ms

    def of_age(self, place: str) -> tuple[Setting, ...]:
        """The settings of ``place`` by which records are refused or deleted that are older by their own time, in ms."""
        refused = Setting(place, self.before_setting, self.before_max_ms)
        deleted = Setting(place, "retention.ms", self.retention_ms)
        return tuple(each for each in (refused, deleted) if each.value < NO_BOUND)

    def of_volume(self, place: str) -> tuple[Setting, ...]:
        """The settings of ``place`` by which the oldest records of a partition with more bytes are deleted."""
        deleted = Setting(place, "retention.bytes", self.retention_bytes)
        return (deleted,) if deleted.value < NO_BOUND else ()

    def needed_for(self, largest_record: int) -> int | None:
        """The max.message.bytes with which a record of that key and value passes, origin included; None: it does."""
        needed = _BATCH_HEADER + _RECORD_OVERHEAD + _HEADER_OVERHEAD + len(ORIGIN_HEADER) + _ORIGIN + largest_record
        return needed if needed > self.max_message_bytes else None

    def rejections(self, batch: Batch, now_ms: int) -> tuple[Rejected, ...]:
        """The records of ``batch`` that the topic can never take, rising by index.

        Times are judged with a minute's grace: whose clock differs less is for the broker to say.
        """
        found: dict[int, Rejected] = {}
        for rejected in (*self._too_large(batch), *self._out_of_time(batch, now_ms), *self._without_key(batch)):
            found.setdefault(rejected.index, rejected)
        return tuple(found[index] for index in sorted(found))

    def _too_large(self, batch: Batch) -> Iterable[Rejected]:
        if _largest_possible(batch) <= self.max_message_bytes:
            return
        for index in range(len(batch)):
            size = _size(batch, index)
            if size > self.max_message_bytes:
                detail = (
                    f"the record needs max.message.bytes of at least {size}; the topic has {self.max_message_bytes}"
                )
                yield Rejected(index, "too_large", detail, AFTER_A_CHANGE)

    def _out_of_time(self, batch: Batch, now_ms: int) -> Iterable[Rejected]:
        times = batch.timestamps_ms
        if not times:
            return
        oldest, newest = now_ms - self.before_max_ms - _CLOCKS_DIFFER_MS, now_ms + self.after_max_ms + _CLOCKS_DIFFER_MS
        if min(times) >= oldest and max(times) <= newest:
            return
        for index, time in enumerate(times):
            if time < oldest:
                yield _of_another_time(index, self.before_setting, now_ms - time, self.before_max_ms)
            elif time > newest:
                yield _of_another_time(index, self.after_setting, time - now_ms, self.after_max_ms)

    def _without_key(self, batch: Batch) -> Iterable[Rejected]:
        if self.compacted and None in batch.keys:
            for index, key in enumerate(batch.keys):
                if key is None:
                    detail = "the topic's cleanup.policy is compact: it takes no null key"
                    yield Rejected(index, "null_key", detail, AFTER_A_CHANGE)


def record_size(key: bytes | None, value: bytes | None, headers: Iterable[Header]) -> int:
    """Bytes of one record alone in a batch, uncompressed (Kafka's message format v2)."""
    headers = tuple(headers)
    body = 1 + 1 + 1 + _field(key) + _field(value) + _varint(len(headers))
    body += sum(_field(name.encode()) + _field(text) for name, text in headers)
    return _BATCH_HEADER + _varint(body) + body


def _of_another_time(index: int, setting: str, distance_ms: int, allowed_ms: int) -> Rejected:
    detail = f"the record's time needs {setting} of at least {distance_ms}; the topic has {allowed_ms}"
    return Rejected(index, "invalid_timestamp", detail, AFTER_A_CHANGE)


def _size(batch: Batch, index: int) -> int:
    headers = batch.headers[index] if batch.headers is not None else ()
    if batch.origins is not None:
        headers = (*headers, (ORIGIN_HEADER, batch.origins[index]))
    return record_size(batch.keys[index], batch.values[index], headers)


def _largest_possible(batch: Batch) -> int:
    """No record of ``batch`` is larger: the sum of each column's longest."""
    size = _BATCH_HEADER + _RECORD_OVERHEAD + _longest(batch.keys) + _longest(batch.values)
    if batch.origins is not None:
        size += _HEADER_OVERHEAD + len(ORIGIN_HEADER) + _longest(batch.origins)
    if batch.headers is not None:
        size += max(map(_headers_bound, batch.headers), default=0)
    return size


def _headers_bound(headers: Sequence[Header]) -> int:
    return sum(_HEADER_OVERHEAD + 4 * len(name) + len(text or b"") for name, text in headers)


def _longest(texts: Iterable[bytes | None]) -> int:
    return max(map(len, filter(None, texts)), default=0)


def _field(text: bytes | None) -> int:
    return _varint(-1) if text is None else _varint(len(text)) + len(text)


def _varint(number: int) -> int:
    """Bytes of ``number`` as a zig-zag varint."""
    zigzag = number << 1 if number >= 0 else (-number << 1) - 1
    return max(1, (zigzag.bit_length() + 6) // 7)
