"""A plan in words and figures, for the table and the page alike."""

from collections.abc import Iterable, Iterator

from bridge.planning.backfill import Backfill
from bridge.planning.bill import Bill
from bridge.planning.load import Load
from bridge.planning.market import MOST, BreakEven
from bridge.planning.offer import Offer
from bridge.planning.plan import Plan, Side
from bridge.planning.retention import Retention
from bridge.planning.wording import amount, counted, hours, listed, money, number, rate

_LITTLE = 0.01
"""Of a virtual CPU."""


def facts(plan: Plan) -> Iterator[tuple[str, str]]:
    """What is needed, each by its name."""
    load = plan.load
    mean = f"{number(load.records_per_second)} records/s of {number(load.record_bytes)} bytes"
    yield "load", f"{mean}, {load.peak_factor:.3g} times that at the peak ({plan.told_by})"
    yield "readers", _readers(load)
    for side in plan.sides:
        yield side.role, _side(side)
    yield (
        "headroom",
        f"{plan.aims.headroom:.0%} of every limit stays free; partitions are for {plan.aims.growth:g} times the load",
    )
    filled = "next to nothing is" if plan.workers.needed < _LITTLE else f"{plan.workers.needed:.2g} are"
    yield "workers", f"{plan.workers.count} of one vCPU; {filled} filled at the peak, with headroom"
    yield "backfill", _backfill(plan.backfill)
    yield "retention", _retention(plan.retention)
    if plan.bill is not None:
        yield from costs(plan.bill)


def costs(owed: Bill) -> Iterator[tuple[str, str]]:
    """What is paid when, in the cheapest ways, each by its name."""
    parts = [f"source {money(owed.source)}", f"sink {money(owed.sink)}", f"mirror {money(owed.mirror)}"]
    if keeping := owed.source_keeping + owed.sink_keeping:
        parts.append(f"longer retention {money(keeping)}")
    yield "cost before", f"{money(owed.before)} a month"
    yield "cost meanwhile", f"{money(owed.meanwhile)} a month: {', '.join(parts)}; the backfill {money(owed.once)} once"
    yield "cost afterwards", f"{money(owed.after)} a month, where the sink alone is left"


def _readers(load: Load) -> str:
    fanned = f", and {load.fan_out_readers} by enhanced fan-out" if load.fan_out_readers else ""
    return f"{load.readers} beside the mirror{fanned}"


def _side(side: Side) -> str:
    what = counted(side.partitions, "shard" if side.kind == "kinesis" else "partition")
    now = "" if side.partitions_now is None else f", {side.partitions_now} now"
    return f"{side.title}: {what} needed{now}"


def _backfill(copying: Backfill) -> str:
    size = amount(copying.stored_bytes)
    pace = f"{rate(copying.pace.bytes_per_second)}, by {copying.pace.by}"
    if copying.hours is None:
        return f"{size} never catch up at {pace}"
    return f"{size} in {hours(copying.hours)} at {pace}"


def _retention(kept: Retention) -> str:
    return f"source {_kept(kept.source, kept.source_now)}; sink {_kept(kept.sink, kept.sink_now)}"


def _kept(needed: int, now: float | None) -> str:
    return f"{hours(needed)} needed, now " + ("for ever" if now is None else hours(now))


def told_of(break_evens: Iterable[BreakEven]) -> Iterator[str]:
    """Each that there is; what is cheaper at every load is told once, with all that it is cheaper than."""
    dearer: dict[str, list[str]] = {}
    for each in break_evens:
        if each.at is None:
            dearer.setdefault(each.below, []).append(each.above)
        else:
            even = f"{rate(each.at.bytes_per_second)} ({each.at.factor:.2g} times this load)"
            yield f"{each.below} is cheaper below {even}, {each.above} above"
    for title, others in dearer.items():
        yield f"{title} is cheaper than {listed(others)} from 1/{MOST:g} to {MOST:g} times this load, where both do"


def priced(offer: Offer) -> str:
    """A way with its cost; one that does not do with the reason."""
    return f"{offer.title}: {offer.obstacle or f'{money(offer.cost)} a month'}"
