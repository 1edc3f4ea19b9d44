"""A plan in words and figures, for the table and the page alike."""

from collections.abc import Iterator

from bridge.planning.backfill import Backfill
from bridge.planning.load import GIB
from bridge.planning.market import MOST, BreakEven
from bridge.planning.offer import Offer
from bridge.planning.plan import Plan, Side
from bridge.planning.retention import Retention

_FEW, _MANY = 10, 100


def facts(plan: Plan) -> Iterator[tuple[str, str]]:
    """What is needed, each by its name."""
    load = plan.load
    mean = f"{number(load.records_per_second)} records/s of {number(load.record_bytes)} bytes"
    yield "load", f"{mean}, {load.peak_factor:.3g} times that at the peak ({plan.told_by})"
    yield "readers", f"{load.readers} that share what there is, {load.fan_out_readers} with enhanced fan-out"
    for side in plan.sides:
        yield side.role, _side(side)
    yield (
        "headroom",
        f"{plan.aims.headroom:.0%} of every limit stays free; partitions are for {plan.aims.growth:g} times the load",
    )
    yield "workers", f"{plan.workers.count} of one vCPU, {plan.workers.needed:.2g} vCPUs are needed at the peak"
    yield "backfill", _backfill(plan.backfill)
    yield "retention", _retention(plan.retention)


def _side(side: Side) -> str:
    what = "shards" if side.kind == "kinesis" else "partitions"
    now = "" if side.partitions_now is None else f"{side.partitions_now} now, "
    return f"{side.title}: {now}{side.partitions} {what} needed"


def _backfill(copying: Backfill) -> str:
    size = f"{number(copying.stored_bytes / GIB)} GB"
    pace = f"{rate(copying.pace.bytes_per_second)}, by {copying.pace.by}"
    if copying.hours is None:
        return f"{size} never catch up at {pace}"
    return f"{size} in {hours(copying.hours)} at {pace}"


def _retention(kept: Retention) -> str:
    return f"source {_kept(kept.source, kept.source_now)}; sink {_kept(kept.sink, kept.sink_now)}"


def _kept(needed: int, now: float | None) -> str:
    return hours(needed) if now is None else f"{hours(needed)}, now {hours(now)}"


def hours(number: float) -> str:
    """``20 min``, ``5 h``, ``3 days``."""
    if number < 1:
        return f"{max(1, round(number * 60))} min"
    return f"{number:.3g} h" if number < 72 else f"{number / 24:.3g} days"


def told_of(each: BreakEven) -> str:
    """A break-even."""
    at = each.at
    if at is None:
        return f"{each.below} is cheaper than {each.above} from 1/{MOST:g} to {MOST:g} times this load, where both do"
    even = f"{rate(at.bytes_per_second)}, {at.factor:.2g} times this load"
    return f"{each.below} is cheaper below {even}, {each.above} above it"


def priced(offer: Offer) -> str:
    """A way with its cost; one that does not do with the reason."""
    return f"{offer.title}: {offer.obstacle or f'{money(offer.cost)} a month'}"


def money(dollars: float) -> str:
    """``$1,234``, cents only where dollars are few."""
    return f"${dollars:,.2f}" if dollars < _FEW else f"${dollars:,.0f}"


def rate(bytes_per_second: float) -> str:
    """``1.5 MB/s``, or in kB."""
    if bytes_per_second < 100_000:
        return f"{number(bytes_per_second / 1000)} kB/s"
    return f"{number(bytes_per_second / 1e6)} MB/s"


def number(value: float) -> str:
    """Three digits, or all that stand before the point."""
    return f"{value:,.0f}" if value >= _MANY else f"{value:.3g}"
