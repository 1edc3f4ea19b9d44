"""What a mirror needs and costs, as it is told to a person or a program."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.permissions import Policy
from bridge.planning.backfill import Backfill
from bridge.planning.bill import Bill
from bridge.planning.load import Aims, Load
from bridge.planning.market import BreakEven, Market
from bridge.planning.offer import Offer, cheapest
from bridge.planning.retention import Retention
from bridge.planning.workers import Kind, Workers


@dataclass(frozen=True, slots=True)
class Prices:
    """Which list they are from."""

    as_of: str
    region: str
    sources: tuple[str, ...]
    remark: str
    """Why they are to be replaced first; empty where they need not be."""
    confirmed: Mapping[str, str]
    """By figure or section: where else, and when, it was seen the same."""


@dataclass(frozen=True, slots=True)
class Side:
    """One end of the mirror: what it has to be for the load and the mirror, and what that costs."""

    role: str
    """``source`` or ``sink``."""
    kind: Kind
    title: str
    load: Load
    """What it is sized and paid for; the sink takes what the mirror writes beside a record."""
    partitions: int
    """How many shards or partitions it needs."""
    partitions_now: int | None
    """How many it has; None where nobody has looked."""
    offers: tuple[Offer, ...]
    way_now: str | None = None
    """The key of the way in which it is paid for now; None where nothing tells."""

    @property
    def cheapest(self) -> Offer | None:
        """Of those that do; None where none does."""
        return cheapest(self.offers)

    def to_json(self) -> dict[str, object]:
        best = self.cheapest
        return {
            "role": self.role,
            "kind": self.kind,
            "title": self.title,
            "record_bytes": round(self.load.record_bytes, 1),
            "retention_hours": self.load.retention_hours,
            "partitions_needed": self.partitions,
            "partitions_now": self.partitions_now,
            "cheapest": None if best is None else best.key,
            "way_now": self.way_now,
            "offers": [each.to_json() for each in self.offers],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one mirror. Money is US dollars a month."""

    mirror: str
    prices: Prices
    load: Load
    told_by: str
    """Where the load's figures are from."""
    aims: Aims
    market: Market
    """Without the mirror; the sides are what they have to be while it runs."""
    source: Side
    sink: Side
    workers: Workers
    bridge: Offer
    backfill: Backfill
    retention: Retention
    bill: Bill | None
    """None where no way to have one of the sides does."""
    break_evens: tuple[BreakEven, ...]
    policies: Mapping[str, Policy]
    """By the task that they are for."""
    remarks: tuple[str, ...]
    """What a person should know of it."""

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.source, self.sink

    def to_json(self) -> dict[str, object]:
        """As ``kmbridge plan --json`` prints it."""
        return {
            "mirror": self.mirror,
            "prices": {
                "as_of": self.prices.as_of,
                "region": self.prices.region,
                "sources": list(self.prices.sources),
                "remark": self.prices.remark,
                "confirmed": dict(self.prices.confirmed),
            },
            "load": {
                "records_per_second": self.load.records_per_second,
                "record_bytes": round(self.load.record_bytes, 1),
                "peak_factor": round(self.load.peak_factor, 3),
                "readers": self.load.readers,
                "fan_out_readers": self.load.fan_out_readers,
                "retention_hours": self.load.retention_hours,
                "told_by": self.told_by,
            },
            "headroom": self.aims.headroom,
            "growth": self.aims.growth,
            "sides": [each.to_json() for each in self.sides],
            "workers": self.workers.to_json(),
            "bridge": self.bridge.to_json(),
            "backfill": self.backfill.to_json(),
            "retention": self.retention.to_json(),
            "bill": None if self.bill is None else self.bill.to_json(),
            "break_evens": [each.to_json() for each in self.break_evens],
            "policies": {task: policy.document() for task, policy in self.policies.items()},
            "remarks": list(self.remarks),
        }
