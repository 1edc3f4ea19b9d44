"""What a topic's settings rule out is known beforehand, and nothing else."""

from dataclasses import replace

import pytest

from connectors.base import Batch
from connectors.kafka.limits import Limits, record_size
from tests.connectors.kafka.sending import batch_of

_NOW_MS = 1_764_000_000_000
_DAY_MS = 86_400_000


def _refused(limits: Limits, batch: Batch) -> list[tuple[int, str]]:
    return [(each.index, each.reason) for each in limits.rejections(batch, _NOW_MS)]


def test_the_settings_of_a_new_topic_refuse_what_its_broker_refuses() -> None:
    """The names are Kafka's own; times far in the past are taken, those more than an hour ahead are not."""
    limits = Limits.of(
        {
            "max.message.bytes": "1048588",
            "message.timestamp.type": "CreateTime",
            "message.timestamp.before.max.ms": "9223372036854775807",
            "message.timestamp.after.max.ms": "3600000",
            "cleanup.policy": "delete",
        }
    )
    batch = batch_of([(None, b"1"), (b"a", b"x" * 1_100_000), (b"b", None), (b"c", b"")])
    times = [0, _NOW_MS, _NOW_MS + 2 * 3_600_000, _NOW_MS + 3_600_000]
    assert _refused(limits, replace(batch, timestamps_ms=times)) == [(1, "too_large"), (2, "invalid_timestamp")]


def test_a_topic_that_stamps_records_itself_takes_any_time() -> None:
    """LogAppendTime replaces the record's time, whatever it is."""
    limits = Limits.of({"message.timestamp.type": "LogAppendTime", "message.timestamp.after.max.ms": "1"})
    assert _refused(limits, batch_of([(b"a", b"1")], time_ms=_NOW_MS + _DAY_MS)) == []


def test_clocks_may_differ_by_a_minute() -> None:
    """Close to the bound the broker decides; beyond it the record is known to be refused."""
    limits = Limits(before_max_ms=_DAY_MS)
    assert _refused(limits, batch_of([(b"a", b"1")], time_ms=_NOW_MS - _DAY_MS - 59_000)) == []
    late = batch_of([(b"a", b"1")], time_ms=_NOW_MS - _DAY_MS - 61_000)
    assert _refused(limits, late) == [(0, "invalid_timestamp")]


def test_a_compacted_topic_takes_no_null_key() -> None:
    """An empty key is a key."""
    batch = batch_of([(b"", b"1"), (None, b"2")])
    assert _refused(Limits.of({"cleanup.policy": "compact,delete"}), batch) == [(1, "null_key")]


@pytest.mark.parametrize("number_of_headers", [0, 1, 3])
def test_sizes_count_headers_and_origin(number_of_headers: int) -> None:
    """A record is as large as all of its parts, to the byte."""
    headers = tuple((f"name-{number}", b"x" * 100) for number in range(number_of_headers))
    batch = replace(batch_of([(b"key", b"v" * 1000)]), headers=[headers], origins=[b"o" * 50])
    size = record_size(b"key", b"v" * 1000, batch.record(0).headers)
    assert _refused(Limits(max_message_bytes=size), batch) == []
    assert _refused(Limits(max_message_bytes=size - 1), batch) == [(0, "too_large")]


def test_an_empty_batch_has_nothing_to_refuse() -> None:
    """A batch without records only says that the source has caught up."""
    assert _refused(Limits(1, 1, 1, compacted=True), batch_of([])) == []


def _ages(**settings: str) -> dict[str, int]:
    named = {name.replace("_", "."): value for name, value in settings.items()}
    return {each.name: each.value for each in Limits.of(named).of_age("topic orders")}


def test_records_are_deleted_by_their_own_time_where_the_topic_deletes() -> None:
    """A compacted topic keeps them, one that stamps records itself counts from then, and -1 is for ever."""
    assert _ages(retention_ms="60000", cleanup_policy="delete") == {"retention.ms": 60_000}
    assert _ages(retention_ms="60000", cleanup_policy="compact,delete") == {"retention.ms": 60_000}
    assert _ages(retention_ms="60000", cleanup_policy="compact") == {}
    assert _ages(retention_ms="-1", cleanup_policy="delete") == {}
    stamped = "LogAppendTime"
    assert _ages(retention_ms="60000", cleanup_policy="delete", message_timestamp_type=stamped) == {}
    assert _ages() == {}


def test_records_are_refused_by_the_setting_that_the_broker_goes_by() -> None:
    """The one of older brokers counts where the newer one has its default or is not there."""
    old, new, default = "message.timestamp.difference.max.ms", "message.timestamp.before.max.ms", str((1 << 63) - 1)
    assert _ages(**{new: "5"}) == {new: 5}
    assert _ages(**{old: "7"}) == {old: 7}
    assert _ages(**{old: "7", new: default}) == {old: 7}
    assert _ages(**{old: "7", new: "9"}) == {new: 9}
    assert _ages(**{old: default, new: default}) == {}
    (rejected,) = Limits.of({old: "7"}).rejections(batch_of([(b"a", b"1")], time_ms=_NOW_MS - _DAY_MS), _NOW_MS)
    assert rejected.detail.startswith(f"the record's time needs {old} of at least")


def test_the_oldest_records_go_with_the_volume_where_the_topic_deletes() -> None:
    """Whoever stamps them."""
    (setting,) = Limits.of({"retention.bytes": "1000", "cleanup.policy": "delete"}).of_volume("topic orders")
    assert str(setting) == "topic orders has retention.bytes=1000"
    assert Limits.of({"retention.bytes": "-1", "cleanup.policy": "delete"}).of_volume("topic orders") == ()
    assert Limits.of({"retention.bytes": "1000", "cleanup.policy": "compact"}).of_volume("topic orders") == ()
