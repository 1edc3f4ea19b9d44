"""What a mirror costs its owner: a month before it, while both ends run and afterwards, and once for the copy."""

from dataclasses import dataclass

from bridge.planning.backfill import Backfill
from bridge.planning.load import GIB, Load
from bridge.planning.market import Pricing
from bridge.planning.offer import Offer


@dataclass(frozen=True, slots=True)
class End:
    """One end, in the cheapest way to have it while the mirror runs."""

    pricing: Pricing
    load: Load
    needed_hours: float
    """So long it has to keep records while the mirror runs."""
    alone: float
    """US dollars a month without the mirror, in the way that is the cheapest then."""

    @property
    def cost(self) -> float:
        """US dollars a month, where records are kept for as long as they are now."""
        return self.pricing(self.load).cost

    @property
    def keeping(self) -> float:
        """US dollars a month beside ``cost``, where they are kept for as long as is needed."""
        if self.needed_hours <= self.load.retention_hours:
            return 0.0
        return max(0.0, self.pricing(self.load.keeping(self.needed_hours)).cost - self.cost)

    def taking(self, gb: float) -> float:
        """US dollars, once, for ``gb`` that are written into it and that no reader has to read."""
        return _passing(self.pricing(self.load.unread())) / self.load.gb_per_month * gb


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars a month but for ``once``."""

    before: float
    """The source, without the mirror."""
    source: float
    sink: float
    mirror: float
    source_keeping: float
    """Beside ``source``, for records that are kept until the copy is there."""
    sink_keeping: float
    after: float
    """The sink, without the mirror."""
    once: float
    """For the copy of what is there already."""

    @property
    def meanwhile(self) -> float:
        """While both ends and the mirror run."""
        return self.source + self.sink + self.mirror + self.source_keeping + self.sink_keeping

    def to_json(self) -> dict[str, object]:
        return {
            "before_usd": round(self.before, 2),
            "meanwhile_usd": round(self.meanwhile, 2),
            "source_usd": round(self.source, 2),
            "sink_usd": round(self.sink, 2),
            "mirror_usd": round(self.mirror, 2),
            "source_longer_retention_usd": round(self.source_keeping, 2),
            "sink_longer_retention_usd": round(self.sink_keeping, 2),
            "afterwards_usd": round(self.after, 2),
            "backfill_once_usd": round(self.once, 2),
        }


def bill(source: End, sink: End, mirror: Offer, copying: Backfill) -> Bill:
    """The copy costs what its bytes cost on their way: out of the source, by the mirror, and into the sink."""
    gb = copying.stored_bytes / GIB
    reading = _passing(mirror) / source.load.gb_per_month * gb
    writing = sink.taking(gb * sink.load.record_bytes / source.load.record_bytes)
    return Bill(
        before=source.alone,
        source=source.cost,
        sink=sink.cost,
        mirror=mirror.cost,
        source_keeping=source.keeping,
        sink_keeping=sink.keeping,
        after=sink.alone,
        once=reading + writing,
    )


def _passing(offer: Offer) -> float:
    """The part of a bill that grows with what goes through."""
    return sum(item.cost for item in offer.items if item.part in ("traffic", "network"))
