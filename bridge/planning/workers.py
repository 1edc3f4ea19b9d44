"""The mirror's own processes: how many, and what they cost on Fargate."""

from dataclasses import dataclass
from typing import Literal

from bridge.planning.load import KIB, MONTH_HOURS, Aims, Load, whole
from bridge.planning.offer import Item, Offer
from bridge.planning.prices.rates import Fargate
from bridge.planning.wording import counted

Kind = Literal["kinesis", "kafka"]

MEMORY_GB = 2
"""Of one, as deploy/ecs has it."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Processes of one virtual CPU each."""

    count: int
    needed: float
    """Virtual CPUs that the peak fills, headroom included."""
    records_per_second: float
    """What one can do with headroom."""
    obstacle: str = ""
    """Why so many cannot share the work; empty where they can, or one is enough."""

    def offer(self, rates: Fargate) -> Offer:
        hours = self.count * MONTH_HOURS
        items = (
            Item("capacity", "processors", hours, "vCPU-hours", rates.cpu_hour),
            Item("capacity", "memory", hours * MEMORY_GB, "GB-hours", rates.memory_gb_hour),
        )
        size = f"{counted(self.count, 'task')} of 1 vCPU, {MEMORY_GB} GB"
        return Offer("bridge_fargate", "The mirror on Fargate", size, items, self.obstacle)

    def to_json(self) -> dict[str, object]:
        return {
            "count": self.count,
            "vcpus_needed": round(self.needed, 3),
            "records_per_second_each": round(self.records_per_second),
            "obstacle": self.obstacle,
        }


def workers_for(load: Load, aims: Aims, cpu_us: float, lanes: int, *, shared: bool) -> Workers:
    """For a source of ``lanes`` partitions; two at least, that one may be away, where the work can be ``shared``.

    A record of 1 KB takes ``cpu_us`` microseconds of a processor.
    """
    seconds = cpu_us / 1e6 * max(1.0, load.record_bytes / KIB)
    needed = aims.needed(load.peak_records * seconds)
    each = 1 / aims.needed(seconds)
    wanted = max(1, whole(needed))
    if not shared:
        obstacle = "" if wanted == 1 else "its checkpoints are for one worker: keep them in a topic of Kafka"
        return Workers(1, needed, each, obstacle)
    obstacle = "" if wanted <= lanes else f"{wanted} have only {counted(lanes, 'partition')} to share"
    return Workers(min(max(2, wanted), max(2, lanes)), needed, each, obstacle)
