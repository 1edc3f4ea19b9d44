"""The load of a stream of Kinesis."""

import asyncio

from bridge.config.ends import KinesisEnd
from bridge.doctor.sample import Sample, taken
from bridge.migration.log import StreamLog
from bridge.planning.measuring.cloudwatch import DAYS, Traffic, traffic
from bridge.planning.measuring.figures import HOUR_MS, Figures
from connectors.base import Clock, ConnectorError
from connectors.kafka.aws.identity import Identity
from connectors.kinesis.polling import KinesisSource


async def stream_figures(end: KinesisEnd, own: str, log: StreamLog, clock: Clock) -> Figures:
    """By CloudWatch, or where it does not tell by the records of the last minutes. Raises what reading raises.

    ``own`` is the name or ARN of the mirror's consumer, which is none of the stream's readers.
    """
    stream = log.stream
    region, account = stream.summary.arn.split(":")[3:5]
    open_shards = await stream.open_shards()
    common = Figures(
        fan_out_readers=await _fan_out_readers(stream, own),
        retention_hours=stream.retention_ms / HOUR_MS,
        partitions=len(open_shards),
        on_demand=stream.summary.on_demand,
        account=account,
        region=region,
    )
    try:
        counted = await asyncio.to_thread(
            traffic, Identity(region, end.assume_role_arn), end.stream_name, end.endpoint_url, clock.now_ms()
        )
    except ConnectorError as error:
        sampled = _sampled(await taken(log, await stream.server_ms()), f"CloudWatch does not tell: {error.cause}")
        return _stored(sampled.over(common), stream, clock)
    if counted is None:
        return common
    return _stored(_counted(counted).over(common), stream, clock)


def _counted(counted: Traffic) -> Figures:
    return Figures(
        counted.records_per_second,
        counted.bytes_per_second / counted.records_per_second,
        counted.peak_factor,
        max(1, round(counted.read_share)),
        told_by=f"CloudWatch, the last {DAYS} days",
    )


def _sampled(sample: Sample, why: str) -> Figures:
    if not sample.records:
        return Figures(told_by=f"{sample}; {why}")
    return Figures(sample.records_per_second, sample.bytes / sample.records, told_by=f"{sample}; {why}")


def _stored(found: Figures, stream: KinesisSource, clock: Clock) -> Figures:
    """As much as came in at this pace since records are kept, or since the stream was made."""
    if not found.records_per_second or not found.record_bytes:
        return found
    kept_ms = min(stream.retention_ms, max(0, clock.now_ms() - stream.created_ms))
    stored = found.records_per_second * found.record_bytes * kept_ms / 1000
    return Figures(stored_bytes=stored).over(found)


async def _fan_out_readers(stream: KinesisSource, own: str) -> int | None:
    """None where nobody tells."""
    try:
        found = await stream.fan_out_consumers()
    except ConnectorError:
        return None
    return sum(own not in (each.name, each.arn) for each in found)
