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
    "kmbridge_lag_seconds", Kind.GAUGE, "How far reading is behind the tip of the partition.", ("partition",)
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
CHECKPOINT_AGE_SECONDS = Definition(
    "kmbridge_checkpoint_age_seconds",
    Kind.GAUGE,
    "Time since the stored checkpoint last covered all that was read.",
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


def definitions() -> Iterator[Definition]:
    """All of this module, in the order in which they stand here."""
    return (value for value in globals().values() if isinstance(value, Definition))


def scalars() -> Iterator[Definition]:
    """Those whose samples are single numbers."""
    return (definition for definition in definitions() if definition.kind is not Kind.HISTOGRAM)
