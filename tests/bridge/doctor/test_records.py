"""What a sample of records shows: keys, sizes, rates, loops."""

import pytest

from bridge.doctor.checks.keys import Keys
from bridge.doctor.checks.loops import Loops
from bridge.doctor.checks.sizes import Sizes
from bridge.doctor.checks.throughput import Throughput
from bridge.doctor.sample import Sample
from bridge.findings import Severity
from connectors.base import ORIGIN_HEADER
from tests.bridge.doctor.scenes import batch, findings, found, sample, scene, severities, stream, topic

MANY = [f"key-{number}".encode() for number in range(400)]
SPREAD = [batch(MANY[begin::4], partition=str(begin)) for begin in range(4)]


async def test_a_hot_key_is_named() -> None:
    """With its share: no other partition helps it."""
    hot = sample(*SPREAD[:3], batch([b"eu"] * 300, partition="3"))
    warned = await findings(Keys(), scene(stream(hot)))
    assert [each.severity for each in warned] == [Severity.WARNING]
    assert "'eu'" in warned[0].found
    assert "50%" in warned[0].found


async def test_a_hot_partition_is_named() -> None:
    """Many keys, and one shard that has most of them."""
    one = await found(Keys(), scene(stream(sample(batch(MANY, partition="shardId-7")))))
    assert (one.severity, "shardId-7" in one.found) == (Severity.WARNING, True)


async def test_records_without_a_key_are_a_warning() -> None:
    """They are in no order with any other."""
    here = scene(topic(sample(*SPREAD, batch([None] * 100, partition="1"))), stream())
    one = await found(Keys(), here)
    assert (one.severity, "20%" in one.found) == (Severity.WARNING, True)


async def test_few_records_tell_no_shares() -> None:
    """Nothing is made of three records."""
    assert (await found(Keys(), scene(stream(sample(batch([b"a"] * 3)))))).severity is Severity.SKIPPED


async def test_a_sink_that_takes_less_than_the_source_holds_is_a_warning() -> None:
    """The setting, as it is and as it is needed."""
    one = await found(Sizes(), scene(sink=topic(settings={"max.message.bytes": "1000000"})))
    assert (one.severity, "max.message.bytes=1000000, needs" in one.found) == (Severity.WARNING, True)
    one = await found(Sizes(), scene(topic(), stream()))
    assert "MaxRecordSizeInKiB=1024, needs" in one.found


async def test_records_that_the_sink_refuses_fail() -> None:
    """Some of the latest are of that kind: the mirror would stop at the first."""
    compacted = topic(settings={"cleanup.policy": "compact"})
    one = await found(Sizes(), scene(stream(sample(batch([b"a", None, None]))), compacted))
    assert (one.severity, "2 for null_key" in one.found) == (Severity.FAILED, True)


async def test_records_that_go_to_the_dead_letter_are_a_warning() -> None:
    """With on_error: dead_letter no lane stops at one, which is what is said, and not that it would help."""
    buries = {"on_error": "dead_letter", "dead_letter": {"file": {"path": "letters"}}}
    small = topic(settings={"cleanup.policy": "compact", "max.message.bytes": "1000000"})
    told = await findings(Sizes(), scene(stream(sample(batch([b"a", None, None]))), small, asked=buries))
    assert [each.severity for each in told] == [Severity.WARNING] * 2
    assert all("go to the dead letter" in each.reason and "on_error" not in each.remedy for each in told)


async def test_records_that_are_transformed_before_they_are_refused_are_a_warning() -> None:
    """A step may mend or drop them: that nothing is wrong is not known, nor that something is."""
    steps = {"transforms": [{"filter": 'key == "a"'}]}
    compacted = topic(settings={"cleanup.policy": "compact"})
    one = await found(Sizes(), scene(stream(sample(batch([b"a", None]))), compacted, asked=steps))
    assert (one.severity, "1 for null_key" in one.found) == (Severity.WARNING, True)
    assert "transforms" in one.reason


async def test_what_a_codec_would_lose_fails() -> None:
    """Raw data has no room for headers."""
    headed = sample(batch([b"a"], headers=(("trace", b"1"),)))
    source = topic(headed, settings={"max.message.bytes": "1000"})
    one = await found(Sizes(), scene(source, stream(), asked={"sink": {"codec": "raw"}}))
    assert (one.severity, "1 for headers" in one.found) == (Severity.FAILED, True)


@pytest.mark.parametrize(
    ("rate", "on_demand", "severity"),
    [
        (3_000, False, Severity.WARNING),
        (9_000, False, Severity.FAILED),
        (9_000, True, Severity.WARNING),
    ],
)
async def test_shards_that_are_too_few_are_found(rate: float, on_demand: bool, severity: Severity) -> None:  # noqa: FBT001
    """By the rate at which the source brings records."""
    here = scene(topic(sample(*SPREAD, records_per_second=rate)), stream(on_demand=on_demand))
    assert (await found(Throughput(), here)).severity is severity


async def test_bytes_fill_shards_too() -> None:
    """Few records may be large."""
    large = sample(batch([b"a"] * 4, size=100_000), records_per_second=100.0)
    one = await found(Throughput(), scene(topic(large), stream()))
    assert (one.severity, "10.0 shards" in one.reason) == (Severity.FAILED, True)


async def test_fewer_partitions_than_shards_are_a_warning() -> None:
    """More of them later move keys."""
    assert (await found(Throughput(), scene(stream(shards=8), topic()))).severity is Severity.WARNING


async def test_same_number_needs_as_many_partitions() -> None:
    """There is none to send the others to."""
    here = scene(topic(partitions=8), topic(), asked={"sink": {"partitioner": "same_number"}})
    assert (await found(Throughput(), here)).severity is Severity.FAILED


def _echoes(count: int = 3) -> Sample:
    hop = b"kafka:cluster:orders/0/1>kinesis:eu-west-1:111122223333:orders"
    return sample(batch([b"a"] * count, headers=((ORIGIN_HEADER, hop),)))


async def test_a_mirror_back_is_noticed() -> None:
    """What it brings is known by its origin, and skipped."""
    one = await found(Loops(), scene(stream(_echoes())))
    assert (one.severity, one.found.startswith("3 of")) == (Severity.WARNING, True)


@pytest.mark.parametrize("more", [{"provenance": "never"}, {"on_loop": "pass"}])
async def test_a_mirror_back_beside_one_that_echoes_fails(more: dict[str, str]) -> None:
    """Neither can tell its own records from the other's."""
    one = await found(Loops(), scene(stream(_echoes()), asked=more))
    assert one.severity is Severity.FAILED


async def test_a_mirror_without_origins_is_a_warning() -> None:
    """As long as nothing mirrors back it harms nobody."""
    assert (await found(Loops(), scene(asked={"provenance": "never"}))).severity is Severity.WARNING


async def test_a_mirror_into_itself_fails() -> None:
    """Names and addresses may hide it."""
    one = await found(Loops(), scene(topic(), topic()))
    assert (one.severity, "source and sink are both" in one.found) == (Severity.FAILED, True)
    assert await severities(Loops(), scene()) == {"ok": 1}
