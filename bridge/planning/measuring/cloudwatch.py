"""What CloudWatch has counted of a stream.

Source of the names: Kinesis Data Streams Developer Guide, monitoring with CloudWatch; the service model of CloudWatch,
2010-08-01.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.base import RefusedError
from connectors.kafka.aws.identity import Identity, explained

DAYS = 7
PERIOD_S = 300
_NAMES = {"records": "IncomingRecords", "bytes": "IncomingBytes", "read": "GetRecords.Bytes"}
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of a week, or of as much of it as there is."""

    records_per_second: float
    bytes_per_second: float
    peak_factor: float
    """The busiest five minutes beside the mean, of records or of bytes, whichever is more."""
    read_share: float
    """How many times what came in was read by polling."""


@dataclass(slots=True)
class _Series:
    """One metric: the sum of each period, and when that began."""

    sums: list[float] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)


def traffic(identity: Identity, stream: str, endpoint_url: str | None, now_ms: int) -> Traffic | None:
    """Of the stream of that name; None where CloudWatch has counted nothing. Blocks.

    Raises ``RefusedError`` without the permission, which its hint names, and for a stream that is not at AWS unless an
    address of CloudWatch is configured; ``UnreachableError`` without an answer.
    """
    operation = f"ask CloudWatch for the traffic of stream {stream}"
    client = identity.client("cloudwatch")
    if not _is_aws(endpoint_url) and _is_aws(client.meta.endpoint_url):
        raise RefusedError(operation, f"{endpoint_url} is not AWS", "AWS_ENDPOINT_URL_CLOUDWATCH names another to ask")
    end = datetime.fromtimestamp(now_ms // 1000 // PERIOD_S * PERIOD_S, UTC)
    with explained(operation):
        counted = _counted(client, stream, end)
    return _summed(counted, end)


def _counted(client: Any, stream: str, end: datetime) -> Mapping[str, _Series]:
    found = {name: _Series() for name in _NAMES}
    asked: dict[str, object] = {
        "MetricDataQueries": [_query(name, metric, stream) for name, metric in _NAMES.items()],
        "StartTime": end - timedelta(days=DAYS),
        "EndTime": end,
    }
    while True:
        answer = client.get_metric_data(**asked)
        for each in answer["MetricDataResults"]:
            found[each["Id"]].sums += each["Values"]
            found[each["Id"]].times += each["Timestamps"]
        if not answer.get("NextToken"):
            return found
        asked["NextToken"] = answer["NextToken"]


def _query(name: str, metric: str, stream: str) -> Mapping[str, object]:
    dimensions = [{"Name": "StreamName", "Value": stream}]
    told = {"Namespace": "AWS/Kinesis", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": told, "Period": PERIOD_S, "Stat": "Sum"}}


def _summed(counted: Mapping[str, _Series], end: datetime) -> Traffic | None:
    """Periods without a record may be missing: the first one tells since when there is a stream to count."""
    records, size = counted["records"], counted["bytes"]
    if not sum(records.sums) or not sum(size.sums):
        return None
    seconds = (end - min(records.times)).total_seconds()
    peak = max(max(each.sums) * seconds / PERIOD_S / sum(each.sums) for each in (records, size))
    return Traffic(
        sum(records.sums) / seconds, sum(size.sums) / seconds, peak, sum(counted["read"].sums) / sum(size.sums)
    )


def _is_aws(url: str | None) -> bool:
    return url is None or (urlsplit(url).hostname or "").endswith(_AWS)
