"""Every metric there is, with one sentence each."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Definition:
    """``name`` is as it is scraped, a counter's ``_total`` included. Every metric also has the label ``mirror``."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


RECORDS_READ = Definition("kmbridge_records_read_total", Kind.COUNTER, "Records read from the source.")
BYTES_READ = Definition("kmbridge_bytes_read_total", Kind.COUNTER, "Bytes of keys and values read from the source.")
RECORDS_WRITTEN = Definition("kmbridge_records_written_total", Kind.COUNTER, "Records that are durable in the sink.")
BYTES_WRITTEN = Definition(
    "kmbridge_bytes_written_total", Kind.COUNTER, "Bytes of keys and values that are durable in the sink."
)
LAG_SECONDS = Definition(
    "kmbridge_lag_seconds",
    Kind.GAUGE,
    "How far what is durable in the sink is behind the tip of the partition; at the most while it is not read.",
    ("partition",),
)
LAG_RECORDS = Definition(
    "kmbridge_lag_records",
    Kind.GAUGE,
    "Records of the partition that lie behind the last one read, where the source can count them.",
    ("partition",),
)
LATENCY_SECONDS = Definition(
    "kmbridge_latency_seconds", Kind.HISTOGRAM, "Time from arrival at the source to durable in the sink."
)
RETRIES = Definition(
    "kmbridge_retries_total", Kind.COUNTER, "Calls that were tried again, by their reason.", ("operation", "reason")
)
THROTTLED = Definition("kmbridge_throttled_total", Kind.COUNTER, "Calls refused for their rate.", ("operation",))
DEAD_LETTER_RECORDS = Definition(
    "kmbridge_dead_letter_records_total",
    Kind.COUNTER,
    "Records sent to the dead letter instead of the sink.",
    ("reason",),
)
SKIPPED_RECORDS = Definition(
    "kmbridge_skipped_records_total", Kind.COUNTER, "Records left out on purpose.", ("reason",)
)
TRANSFORM_SECONDS = Definition(
    "kmbridge_transform_seconds_total", Kind.COUNTER, "Time that batches spent in a step of transforms.", ("step",)
)
CHECKPOINT_AGE_SECONDS = Definition(
    "kmbridge_checkpoint_age_seconds",
    Kind.GAUGE,
    "Time since the stored checkpoint last covered all that was read.",
    ("partition",),
)
RETENTION_HEADROOM_SECONDS = Definition(
    "kmbridge_retention_headroom_seconds",
    Kind.GAUGE,
    "Time until the source may delete something of the partition that is not durable in the sink.",
    ("partition",),
)
LANES = Definition("kmbridge_lanes", Kind.GAUGE, "Source partitions by the state they are in.", ("state",))
GAPS = Definition("kmbridge_gaps_total", Kind.COUNTER, "Losses noticed at the source, accepted or stopped at.")
COMPRESSED_RATIO = Definition(
    "kmbridge_compressed_ratio",
    Kind.GAUGE,
    "Bytes sent to the sink divided by the bytes of the records in them, since the start.",
)
BUFFERED_BYTES = Definition(
    "kmbridge_buffered_bytes", Kind.GAUGE, "Bytes held between reading and durability in the sink."
)
BUFFER_LIMIT_BYTES = Definition(
    "kmbridge_buffer_limit_bytes", Kind.GAUGE, "Bytes that may be held there: limits.memory of every process."
)
STATE = Definition("kmbridge_state", Kind.GAUGE, "1 for the state that the mirror is in, 0 for the others.", ("state",))
HEALTHY = Definition("kmbridge_healthy", Kind.GAUGE, "1 while /healthz finds nothing wrong with the mirror, else 0.")
RESTARTS = Definition(
    "kmbridge_restarts_total", Kind.COUNTER, "Starts of a worker, or of the mirror, after one that failed."
)
START_TIMESTAMP_SECONDS = Definition(
    "kmbridge_start_timestamp_seconds", Kind.GAUGE, "When the process began to serve its metrics."
)
BUILD_INFO = Definition("kmbridge_build_info", Kind.GAUGE, "Always 1; the version is in the label.", ("version",))

MIRROR = (
    RECORDS_READ,
    BYTES_READ,
    RECORDS_WRITTEN,
    BYTES_WRITTEN,
    LAG_SECONDS,
    LAG_RECORDS,
    LATENCY_SECONDS,
    RETRIES,
    THROTTLED,
    DEAD_LETTER_RECORDS,
    SKIPPED_RECORDS,
    TRANSFORM_SECONDS,
    CHECKPOINT_AGE_SECONDS,
    RETENTION_HEADROOM_SECONDS,
    LANES,
    GAPS,
    COMPRESSED_RATIO,
    BUFFERED_BYTES,
    BUFFER_LIMIT_BYTES,
    STATE,
    HEALTHY,
    RESTARTS,
    START_TIMESTAMP_SECONDS,
    BUILD_INFO,
)
"""Of each mirror of a process."""

PARITY_RECORDS = Definition(
    "kmbridge_parity_records_total", Kind.COUNTER, "Records at the source that were looked for in the sink."
)
PARITY_DIFFERENCES = Definition(
    "kmbridge_parity_differences_total",
    Kind.COUNTER,
    "Records that the sink does not hold as the source does, by kind.",
    ("kind",),
)
PARITY_PROVEN_TIMESTAMP_SECONDS = Definition(
    "kmbridge_parity_proven_timestamp_seconds",
    Kind.GAUGE,
    "What had reached the source by this time has been compared.",
)

PARITY = (PARITY_RECORDS, PARITY_DIFFERENCES, PARITY_PROVEN_TIMESTAMP_SECONDS)
"""Of `kmbridge verify --follow`."""


def definitions() -> Iterator[Definition]:
    """All of them, in the order in which documentation has them."""
    yield from MIRROR
    yield from PARITY
