"""What CloudWatch has counted of a stream.

Source of the names: Kinesis Data Streams Developer Guide, monitoring with CloudWatch; the service model of CloudWatch,
2010-08-01.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kafka.aws.identity import Identity, explained
from connectors.kinesis.services import check_place

DAYS = 7
PERIOD_S = 600
"""A call tells 1,440 periods at the most."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of a week, or of as much of it as there is."""

    records_per_second: float
    bytes_per_second: float
    peak_factor: float
    """The busiest ten minutes beside the mean, of records or of bytes, whichever is more."""
    read_share: float
    """How many times what came in was read by polling."""


def traffic(identity: Identity, stream: str, endpoint_url: str | None, now_ms: int) -> Traffic | None:
    """Of the stream of that name; None where CloudWatch has counted nothing. Blocks.

    Raises ``RefusedError`` without the permission, which its hint names, and for a stream that is not at AWS unless an
    address of CloudWatch is configured; ``UnreachableError`` without an answer.
    """
    operation = f"ask CloudWatch for the traffic of stream {stream}"
    client = identity.client("cloudwatch")
    check_place(operation, endpoint_url, "cloudwatch", client.meta.endpoint_url)
    end = datetime.fromtimestamp(now_ms // 1000 // PERIOD_S * PERIOD_S, UTC)
    with explained(operation):
        records, size, read = (
            _counted(client, stream, metric, end) for metric in ("IncomingRecords", "IncomingBytes", "GetRecords.Bytes")
        )
    return _summed(records, size, sum(read.values()), end)


def _counted(client: Any, stream: str, metric: str, end: datetime) -> Mapping[datetime, float]:
    """The sum of each period, by when it began."""
    answer = client.get_metric_statistics(
        Namespace="AWS/Kinesis",
        MetricName=metric,
        Dimensions=[{"Name": "StreamName", "Value": stream}],
        StartTime=end - timedelta(days=DAYS),
        EndTime=end,
        Period=PERIOD_S,
        Statistics=["Sum"],
    )
    return {each["Timestamp"]: float(each["Sum"]) for each in answer["Datapoints"]}


def _summed(
    records: Mapping[datetime, float], size: Mapping[datetime, float], read: float, end: datetime
) -> Traffic | None:
    """Periods without a record may be missing: the first one tells since when there is a stream to count."""
    all_records, all_bytes = sum(records.values()), sum(size.values())
    if not all_records or not all_bytes:
        return None
    seconds = (end - min(records)).total_seconds()
    peak = max(max(each.values()) * seconds / PERIOD_S / sum(each.values()) for each in (records, size))
    return Traffic(all_records / seconds, all_bytes / seconds, peak, read / all_bytes)
