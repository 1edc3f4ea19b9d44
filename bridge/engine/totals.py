"""What all lanes of a mirror have done since the process started."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.engine.latency import LatencyHistogram
from bridge.engine.rate import Rate
from connectors.base import Batch


@dataclass(slots=True)
class Totals:
    """Counters that only grow, so that they stay right when lanes finish and disappear."""

    records_read: int = 0
    bytes_read: int = 0
    records_written: int = 0
    bytes_written: int = 0
    gaps: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    latency: LatencyHistogram = field(default_factory=LatencyHistogram)
    rate: Rate = field(default_factory=Rate)

    def read(self, batch: Batch, skipped: Mapping[str, int]) -> None:
        """``batch`` is on its way; of what was read with it ``skipped`` is left out."""
        self.records_read += len(batch)
        self.bytes_read += batch.size
        if skipped:
            self.skipped.update(skipped)

    def written(self, batch: Batch, now_ms: int) -> None:
        """Every record of ``batch`` is durable in the sink."""
        self.records_written += len(batch)
        self.bytes_written += batch.size
        self.latency.observe(batch.arrived_ms, now_ms)
