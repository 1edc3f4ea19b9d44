"""What a demo ended with."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from bridge.parity.report import ParityReport


@dataclass(frozen=True, slots=True)
class DemoResult:
    payload_bytes: int
    """Of all values sent."""
    elapsed_s: float
    """From the first record's sending to the last one's arrival."""
    latency_p50_s: float
    latency_p99_s: float
    parity: ParityReport

    @property
    def records_per_second(self) -> float:
        return self.parity.sink_records / self.elapsed_s if self.elapsed_s > 0 else 0.0

    def rows(self) -> list[tuple[str, str]]:
        return [
            ("records", f"{self.parity.sink_records:,} of {self.parity.source_records:,}"),
            ("MB", f"{self.payload_bytes / 1e6:.1f}"),
            ("records/s", f"{self.records_per_second:,.0f}"),
            ("latency p50", f"{self.latency_p50_s * 1000:,.0f} ms"),
            ("latency p99", f"{self.latency_p99_s * 1000:,.0f} ms"),
            ("keys checked", f"{self.parity.keys or 0:,}"),
            ("verdict", self.parity.verdict),
        ]

    def to_json(self) -> dict[str, object]:
        return {
            "records": self.parity.sink_records,
            "bytes": self.payload_bytes,
            "seconds": round(self.elapsed_s, 3),
            "records_per_second": round(self.records_per_second, 1),
            "latency_p50_seconds": round(self.latency_p50_s, 4),
            "latency_p99_seconds": round(self.latency_p99_s, 4),
            "keys": self.parity.keys,
            "verdict": "equal" if self.parity.equal else "different",
            "parity": self.parity.to_json(),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values``, in rising order, that ``share`` of them do not exceed; 0 for none."""
    return values[max(ceil(share * len(values)), 1) - 1] if values else 0.0
