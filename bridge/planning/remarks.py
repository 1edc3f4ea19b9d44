"""What a person should know of a plan beside its figures, each in a sentence."""

from collections.abc import Iterator

from bridge.config import Configuration
from bridge.config.checkpoints import DynamoCheckpoints
from bridge.planning import msk
from bridge.planning.backfill import Backfill
from bridge.planning.bill import Bill
from bridge.planning.load import MONTH_S, Load, whole
from bridge.planning.measuring.figures import DEFAULT_PEAK, DEFAULT_RETENTION_H, Figures
from bridge.planning.plan import Side
from bridge.planning.prices.rates import Rates
from bridge.planning.retention import Retention
from bridge.planning.wording import counted, money, number
from bridge.planning.work import Work
from bridge.planning.workers import Workers

_SAVE_UNITS = 2
"""For each partition that moved, and for the header (docs/dynamodb.md)."""


def of_prices(rates: Rates, region: str) -> Iterator[str]:
    """What is to be known of them before money depends on them."""
    if rates.remark:
        yield f"prices of {region}: {rates.remark} (--prices)"
    if unknown := sorted({*rates.msk.standard.broker_hour, *rates.msk.express.broker_hour} - msk.SIZES):
        yield f"what brokers of {', '.join(unknown)} are good for is not known: their prices are not used"


def of_regions(ends: tuple[str | None, str | None], priced: str) -> Iterator[str]:
    """Where all is not in the place whose prices are used."""
    source, sink = ends
    if source and sink and source != sink:
        yield f"from {source} to {sink}: all is reckoned at the prices of {priced}, and the way between is in no bill"
    elif (where := source or sink) and where != priced:
        yield f"the mirror is in {where}: all is reckoned at the prices of {priced}"


def assumed(asked: Configuration, figures: Figures) -> Iterator[str]:
    """What nobody told, with the option that tells it where there is one."""
    if figures.peak_factor is None:
        yield f"how high the busiest minutes are is not known: {DEFAULT_PEAK:g} times the mean (--peak-factor)"
    if figures.readers is None:
        yield "how many applications read it is not known: one (--readers)"
    if figures.retention_hours is None:
        bills = f"bills are for {DEFAULT_RETENTION_H:g} hours of them"
        yield f"how long records are kept is not known, or is for ever: {bills} (--retention-hours)"
    if figures.on_demand is None and asked.source.kinesis is not None:
        yield "whether the source is on-demand is not known: its reading is billed as of a provisioned one"


def of_checkpoints(asked: Configuration, lanes: int) -> Iterator[str]:
    """Of a table, whose writes cost money."""
    if isinstance(asked.checkpoints, DynamoCheckpoints):
        units = number(_SAVE_UNITS * (lanes + 1) / asked.checkpoint_interval * MONTH_S)
        yield f"the table of checkpoints takes up to {units} write units a month, which are in no bill"


def of_sizes(source: Side, sink: Side) -> Iterator[str]:
    """Where an end is too small as it is."""
    for side in (source, sink):
        now, what = side.partitions_now, "shard" if side.kind == "kinesis" else "partition"
        # A topic that is left behind has no need to grow.
        if now is not None and now < side.partitions and (side.kind == "kinesis" or side.role == "sink"):
            way_out = "split them" if side.kind == "kinesis" else "later, keys would move"
            yield f"the {side.role} has {counted(now, what)}, and {side.partitions} are needed: {way_out}"


def in_the_way(
    figures: Figures, copying: Backfill, kept: Retention, workers: Workers, owed: Bill | None
) -> Iterator[str]:
    """What does not do as it is."""
    if copying.hours is None:
        yield f"a backfill never catches up: {copying.pace.by} gives no more than goes on coming in"
    if not kept.source_is_enough:
        more = "" if owed is None else _more(owed.source_keeping)
        yield f"keep records of the source for {kept.source} hours: for the copy, and a weekend beside it{more}"
    if not kept.sink_is_enough:
        more = "" if owed is None else _more(owed.sink_keeping)
        yield f"keep records of the sink for {kept.sink} hours: what a backfill copies is gone again sooner{more}"
    if figures.sink is not None and figures.sink.unseen:
        yield f"the sink was not seen: {figures.sink.unseen}"
    if workers.obstacle:
        yield f"the workers are too few: {workers.obstacle}"


def of_functions(work: Work, load: Load, lanes: int) -> Iterator[str]:
    """Of steps whose time nobody knows beforehand."""
    for function in work.functions:
        calls = number(whole(load.records_per_month / function.batch))
        longest_ms = number(lanes * function.batch / load.peak_records * 1000)
        yield f"{function.name} is called {calls} times a month at least, which Lambda bills by itself"
        yield (
            f"at the peak {counted(lanes, 'lane')} keep up where a call of {function.name} with {function.batch} "
            f"records takes {longest_ms} ms at the most"
        )
    if work.unknown:
        yield f"what {', '.join(work.unknown)} takes is in no figure of the workers: try it with a backfill"


def _more(dollars: float) -> str:
    return f"; {money(dollars)} a month more, while both run" if dollars else ""
