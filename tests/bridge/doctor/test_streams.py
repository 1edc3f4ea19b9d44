"""What is found at streams, and at clocks."""

import pytest

from bridge.doctor.checks.clocks import Clocks
from bridge.doctor.checks.order import Order
from bridge.doctor.checks.permissions import Permissions
from bridge.doctor.checks.read_limits import ReadLimits
from bridge.doctor.checks.readers import Readers
from bridge.doctor.scene import Role, Scene, StreamEnd
from bridge.findings import Severity
from connectors.base import RefusedError
from connectors.kinesis.services import FanOutConsumer, ReadingService
from tests.bridge.doctor.scenes import (
    NOW_MS,
    batch,
    found,
    raising,
    sample,
    scene,
    severities,
    stream,
    told,
    topic,
)

LAMBDA = ReadingService("Lambda function", "bill")
FIREHOSE = ReadingService("Firehose delivery stream", "archive")
DENIED = RefusedError("ask who reads it", "AccessDenied", "grant lambda:ListEventSourceMappings, to be told")


def _at(role: Role, end: StreamEnd) -> Scene:
    return scene(end) if role is Role.SOURCE else scene(topic(), end)


@pytest.mark.parametrize(
    ("apart_s", "severity", "way"),
    [
        (5, Severity.WARNING, "5 s behind"),
        (-6, Severity.WARNING, "5 s ahead"),
        (400, Severity.FAILED, "400 s behind"),
    ],
)
async def test_a_clock_that_is_wrong_is_noticed(apart_s: int, severity: Severity, way: str) -> None:
    """AWS refuses requests of another time, and lag is told wrong. The server tells whole seconds."""
    one = await found(Clocks(Role.SOURCE), scene(stream(server_ms=NOW_MS + apart_s * 1000)))
    assert one.severity is severity
    assert way in one.found


async def test_a_server_that_tells_whole_seconds_is_not_late() -> None:
    """It is the same second."""
    assert await severities(Clocks(Role.SOURCE), scene(stream(server_ms=NOW_MS - 999))) == {"ok": 1}


async def test_records_of_the_future_are_noticed() -> None:
    """A broker tells no time; its records may."""
    late = batch([b"a"])
    future = type(late)("0", late.place, ["1"], [b"a"], [b"v"], [NOW_MS + 120_000])
    one = await found(Clocks(Role.SINK), scene(sink=topic(sample(future))))
    assert (one.severity, "120 s" in one.found) == (Severity.WARNING, True)


@pytest.mark.parametrize("role", [Role.SOURCE, Role.SINK])
async def test_automatic_distribution_fails(role: Role) -> None:
    """There is no order of a key in such a stream, to read or to write."""
    one = await found(Order(role), _at(role, stream(automatic=True, on_demand=True)))
    assert one.severity is Severity.FAILED
    assert "USER_PARTITION_KEY" in one.remedy


async def test_an_on_demand_stream_is_a_warning() -> None:
    """It reshards by itself, and its distribution may be switched."""
    one = await found(Order(Role.SOURCE), scene(stream(on_demand=True)))
    assert (one.severity, "AUTO" in one.reason) == (Severity.WARNING, True)


async def test_writing_to_a_stream_is_not_tried() -> None:
    """There is no way to try it without a record, and that is said."""
    one = await found(Permissions(Role.SINK), scene(topic(), stream()))
    assert (one.severity, "not tried" in one.reason) == (Severity.SKIPPED, True)


async def test_polling_readers_share_the_limits() -> None:
    """The mirror takes all that is left unless it is told to leave room."""
    source = stream(functions=told([LAMBDA]), delivery_streams=told([FIREHOSE]))
    one = await found(ReadLimits(), scene(source))
    assert (one.severity, "3 readers" in one.found, "0.33" in one.remedy) == (Severity.WARNING, True, True)
    leaving = scene(source, asked={"source": {"read_share": 0.3}})
    assert set(await severities(ReadLimits(), leaving)) == {"ok"}


async def test_readers_with_a_limit_of_their_own_take_nothing() -> None:
    """Enhanced fan-out is beside the limits that others share."""
    fed = ReadingService("Lambda function", "bill", fans_out=True)
    source = stream(functions=told([fed]), fan_out=told([FanOutConsumer("bill", "arn")]))
    assert set(await severities(ReadLimits(), scene(source))) == {"ok"}


@pytest.mark.parametrize(
    ("others", "more", "severity"),
    [
        (19, {}, "ok"),
        (20, {}, "warning"),
        (20, {"fan_out_fallback": "polling"}, "warning"),
        (50, {}, "failed"),
        (50, {"fan_out_fallback": "polling"}, "warning"),
    ],
)
async def test_a_mirror_that_subscribes_needs_room_for_its_consumer(
    others: int, more: dict[str, str], severity: str
) -> None:
    """As long as it is not registered; how much there is depends on the stream's mode."""
    consumers = [FanOutConsumer(f"other-{number}", "arn") for number in range(others)]
    asked = {"source": {"read": "fan_out", **more}}
    full = scene(stream(fan_out=told(consumers)), asked=asked)
    assert severity in await severities(ReadLimits(), full)
    own = [*consumers, FanOutConsumer("kmbridge-orders", "arn")]
    assert set(await severities(ReadLimits(), scene(stream(fan_out=told(own)), asked=asked))) == {"ok"}


async def test_a_consumer_that_is_given_by_its_arn_has_to_be_there() -> None:
    """The mirror does not register it."""
    arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders/consumer/bill:1"
    asked = {"source": {"read": "fan_out", "fan_out_consumer": arn}}
    assert "failed" in await severities(ReadLimits(), scene(stream(), asked=asked))
    there = stream(fan_out=told([FanOutConsumer("bill", arn)]))
    assert set(await severities(ReadLimits(), scene(there, asked=asked))) == {"ok"}


async def test_a_mirror_that_subscribes_shares_no_limits() -> None:
    """However many poll beside it."""
    source = stream(functions=told([LAMBDA]), delivery_streams=told([FIREHOSE]))
    assert set(await severities(ReadLimits(), scene(source, asked={"source": {"read": "fan_out"}}))) == {"ok"}


async def test_a_migrating_application_reads_too() -> None:
    """It is named in the configuration, and polls like the mirror."""
    moving = {"consumers": [{"application": "billing", "group": "billing"}]}
    one = await found(ReadLimits(), scene(asked={"cutover": moving}))
    assert "application billing" in one.found


@pytest.mark.parametrize("codec", ["kpl", "envelope"])
async def test_services_that_do_not_know_the_codec_are_a_warning(codec: str) -> None:
    """Neither Lambda nor Firehose takes apart what the bridge writes."""
    sink = stream(functions=told([LAMBDA]), delivery_streams=told([FIREHOSE]))
    here = scene(topic(), sink, asked={"sink": {"codec": codec}})
    assert await severities(Readers(), here) == {"warning": 2}


async def test_raw_values_are_what_such_services_expect() -> None:
    """Nothing is around them."""
    here = scene(topic(), stream(functions=told([LAMBDA])), asked={"sink": {"codec": "raw"}})
    assert set(await severities(Readers(), here)) == {"ok"}


@pytest.mark.parametrize("check", [Readers(), ReadLimits()])
async def test_who_reads_a_stream_may_stay_unknown(check: Readers | ReadLimits) -> None:
    """Without that permission nobody asks further, and nothing has failed."""
    unknown = stream(functions=raising(DENIED), delivery_streams=raising(DENIED), fan_out=raising(DENIED))
    here = scene(unknown) if isinstance(check, ReadLimits) else scene(topic(), unknown)
    counted = await severities(check, here)
    assert counted["skipped"] >= 2
    assert not counted["failed"]
