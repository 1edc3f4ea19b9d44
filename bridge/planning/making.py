"""A plan made of a configuration, a load and a table of prices: nothing is asked of anybody."""

from collections.abc import Iterator, Mapping

from bridge.config import Configuration
from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.config.names import STREAM_ARN
from bridge.permissions import Policy, Surroundings, Task, policy_for
from bridge.permissions.places import ACCOUNT
from bridge.planning import kinesis, msk
from bridge.planning.backfill import Backfill, Pace, backfill, reading, writing
from bridge.planning.load import GIB, Aims, Load
from bridge.planning.market import Market, break_evens
from bridge.planning.measuring.figures import DEFAULT_PEAK, Figures
from bridge.planning.offer import Item, Offer
from bridge.planning.plan import Plan, Prices, Side
from bridge.planning.prices.rates import Rates
from bridge.planning.prices.table import DEFAULT_REGION, PriceTable
from bridge.planning.retention import Retention, retention_for
from bridge.planning.workers import Kind, Workers, workers_for

_TASKS = (Task.RUN, Task.DOCTOR, Task.VERIFY, Task.PLAN)
_OF_MIGRATIONS = (Task.TRANSLATE, Task.CUTOVER)


def region_of(asked: Configuration, figures: Figures) -> str:
    """Where the mirror's ends are, as far as anything tells it: measured, configured, or the table's own first."""
    return figures.region or next(filter(None, map(_region, _ends(asked))), DEFAULT_REGION)


def make_plan(asked: Configuration, figures: Figures, table: PriceTable, aims: Aims, region: str | None = None) -> Plan:
    """For the mirror of ``asked``, with the prices of ``region``, by default where its ends are.

    Raises ``UsageError`` without figures, and for a region that the table does not have.
    """
    where = region or region_of(asked, figures)
    rates, load = table.rates(where), figures.load()
    ends = tuple(map(_kind, _ends(asked)))
    source_kind, sink_kind = ends[0], ends[1]
    needed = _partitions(source_kind, load, aims, 1)
    lanes = figures.partitions or needed
    market = Market(rates, aims, lanes)
    source = Side(
        "source", source_kind, asked.source.end.title, needed, figures.partitions, market.offers(source_kind, load)
    )
    in_sink = _partitions(sink_kind, load, aims, lanes)
    sink = Side("sink", sink_kind, asked.sink.end.title, in_sink, None, market.offers(sink_kind, load))
    workers = workers_for(load, aims, (source_kind, sink_kind), lanes, shared=asked.shares_work)
    copying = _backfill(asked, figures, load, workers, (source, sink))
    kept = retention_for(copying, figures.retention_hours)
    return Plan(
        asked.name,
        Prices(table.as_of, where, rates.sources, rates.checked),
        load,
        figures.told_by or "figures given by hand",
        aims,
        market,
        source,
        sink,
        workers,
        _bridge(workers, rates, source_kind, load, on_demand=bool(figures.on_demand)),
        copying,
        kept,
        tuple(each for kind in dict.fromkeys(ends) for each in break_evens(market, kind, load)),
        _policies(asked, Surroundings(where, figures.account or ACCOUNT)),
        tuple(_remarks(figures, rates, where, copying, kept, workers)),
    )


def _ends(asked: Configuration) -> tuple[KinesisEnd | KafkaEnd, KinesisEnd | KafkaEnd]:
    return asked.source.end, asked.sink.end


def _region(end: KinesisEnd | KafkaEnd) -> str | None:
    if isinstance(end, KafkaEnd):
        return end.region
    arn = STREAM_ARN.fullmatch(end.stream)
    return end.region if arn is None else arn["region"]


def _kind(end: KinesisEnd | KafkaEnd) -> Kind:
    return "kinesis" if isinstance(end, KinesisEnd) else "kafka"


def _partitions(kind: Kind, load: Load, aims: Aims, least: int) -> int:
    """What an end of that kind should have. The mirror polls a stream beside its readers."""
    if kind == "kinesis":
        return kinesis.shards_for(load, aims, load.readers + 1)
    return msk.partitions_for(load, aims, least)


def _backfill(
    asked: Configuration, figures: Figures, load: Load, workers: Workers, sides: tuple[Side, Side]
) -> Backfill:
    source, sink = sides
    lanes = source.partitions_now or source.partitions
    stored = figures.stored_bytes
    if stored is None:
        stored = load.kept_gb(0, load.retention_hours) * GIB
    stream = asked.source.kinesis
    share = stream.read_share if stream is not None and "read_share" in stream.model_fields_set else None
    able = Pace(workers.count * workers.records_per_second * load.record_bytes, f"{workers.count} workers")
    return backfill(stored, load, reading(source.kind, lanes, share), writing(sink.kind, sink.partitions, load), able)


def _bridge(workers: Workers, rates: Rates, source: Kind, load: Load, *, on_demand: bool) -> Offer:
    """Its tasks, and what it takes out of its source, where that is paid for."""
    tasks = workers.offer(rates.fargate)
    if source == "kinesis":
        reading_gb = rates.kinesis.on_demand.out_gb if on_demand else 0.0
    else:
        reading_gb = 2 * rates.transfer.zone_gb * msk.CROSSING
    items = (Item("traffic", "reading the source", load.gb_per_month, "GB", reading_gb),) if reading_gb else ()
    return Offer(tasks.key, tasks.title, tasks.size, (*tasks.items, *items), tasks.obstacle)


def _policies(asked: Configuration, around: Surroundings) -> Mapping[str, Policy]:
    tasks = (*_TASKS, *_OF_MIGRATIONS) if asked.cutover is not None else _TASKS
    return {task.value: policy_for(asked, [task], around) for task in tasks}


def _remarks(
    figures: Figures, rates: Rates, region: str, copying: Backfill, kept: Retention, workers: Workers
) -> Iterator[str]:
    if not rates.checked:
        yield f"the prices of {region} have no second source: --prices aws asks AWS for them, --prices FILE has others"
    if figures.peak_factor is None:
        yield f"how high the busiest minutes are is not known: {DEFAULT_PEAK:g} times the mean (--peak-factor)"
    if figures.readers is None:
        yield "how many applications read it is not known: one (--readers)"
    if copying.hours is None:
        yield f"a backfill never catches up: {copying.pace.by} gives no more than goes on coming in"
    if not kept.is_enough:
        yield f"keep records of the source for {kept.source} hours: for the copy, and a weekend beside it"
    if workers.obstacle:
        yield f"one worker is not enough: {workers.obstacle}"
