"""A plan made of a configuration, a load and a table of prices: nothing is asked of anybody."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bridge.config import Configuration
from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.permissions import Policy, Surroundings, Task, policy_for
from bridge.permissions.places import ACCOUNT, REGION
from bridge.planning import msk
from bridge.planning.backfill import Backfill, Pace, backfill, writing
from bridge.planning.load import GIB, Aims, Load
from bridge.planning.market import Market, break_evens
from bridge.planning.measuring.figures import DEFAULT_PEAK, DEFAULT_RETENTION_H, Figures
from bridge.planning.offer import Offer
from bridge.planning.plan import Plan, Prices, Side
from bridge.planning.prices.rates import Rates
from bridge.planning.prices.table import DEFAULT_REGION, PriceTable
from bridge.planning.reading import OwnReading
from bridge.planning.retention import Retention, retention_for
from bridge.planning.workers import Kind, Workers, workers_for
from connectors.counted import counted

_TASKS = (Task.RUN, Task.DOCTOR, Task.VERIFY, Task.PLAN)
_OF_MIGRATIONS = (Task.TRANSLATE, Task.CUTOVER)


def region_of(asked: Configuration, figures: Figures) -> str | None:
    """Where the mirror's ends are, as far as anything tells it: measured, or configured."""
    return figures.region or next(filter(None, map(_region, (asked.source.end, asked.sink.end))), None)


def priced_in(asked: Configuration, figures: Figures, region: str | None = None) -> str:
    """Whose prices count: those of ``region``, by default where the mirror's ends are, or else the table's first."""
    return region or region_of(asked, figures) or DEFAULT_REGION


def planned(asked: Configuration, figures: Figures, table: PriceTable, aims: Aims, region: str | None = None) -> Plan:
    """For the mirror of ``asked``, with the prices of ``region``, or as ``priced_in`` says.

    Raises ``UsageError`` without figures, and for a region that the table does not have.
    """
    where = priced_in(asked, figures, region)
    return _Draft(asked, figures, figures.load(), table.rates(where), aims).plan(table.as_of, where)


@dataclass(frozen=True, slots=True)
class _Draft:
    asked: Configuration
    figures: Figures
    load: Load
    rates: Rates
    aims: Aims

    def plan(self, as_of: str, region: str) -> Plan:
        source, sink = self._side("source"), self._side("sink")
        workers = workers_for(
            self.load, self.aims, (source.kind, sink.kind), self._lanes, shared=self.asked.shares_work
        )
        copying = self._backfill(workers, sink)
        seen = self.figures.sink
        kept = retention_for(copying, self.figures.retention_hours, None if seen is None else seen.retention_hours)
        return Plan(
            mirror=self.asked.name,
            prices=Prices(as_of, region, self.rates.sources, self.rates.remark),
            load=self.load,
            told_by=self.figures.told_by or "figures given by hand",
            aims=self.aims,
            market=self._market,
            source=source,
            sink=sink,
            workers=workers,
            bridge=self._bridge(workers),
            backfill=copying,
            retention=kept,
            break_evens=break_evens(self._market.ways({source.kind, sink.kind}), self.load),
            policies=self._policies(),
            remarks=(
                *_of_prices(self.rates, region),
                *self._assumed(),
                *_in_the_way(self.figures, copying, kept, workers),
            ),
        )

    @property
    def _lanes(self) -> int:
        """The partitions that the source has, or should have."""
        return self.figures.partitions or self._market.needed(_kind(self.asked.source.end), self.load)

    @property
    def _market(self) -> Market:
        return Market(self.rates, self.aims, self.figures.partitions or 1, int(self._polls))

    @property
    def _reading(self) -> OwnReading:
        stream = self.asked.source.kinesis
        if stream is None:
            return OwnReading("kafka", self._lanes)
        return OwnReading(
            "kinesis",
            self._lanes,
            self._fans_out,
            bool(self.figures.on_demand),
            stream.read_share if "read_share" in stream.model_fields_set else None,
        )

    @property
    def _polls(self) -> bool:
        return self.asked.source.kinesis is not None and not self._fans_out

    @property
    def _fans_out(self) -> bool:
        return self.asked.fan_out_consumer is not None

    def _side(self, role: Literal["source", "sink"]) -> Side:
        end = self.asked.source.end if role == "source" else self.asked.sink.end
        kind = _kind(end)
        seen = self.figures.sink
        if role == "source":
            now, market = self.figures.partitions, self._market
        else:
            # The mirror only writes there.
            now, market = None if seen is None else seen.partitions, replace(self._market, polling=0)
        return Side(role, kind, end.title, market.needed(kind, self.load), now, market.offers(kind, self.load))

    def _backfill(self, workers: Workers, sink: Side) -> Backfill:
        stored = self.figures.stored_bytes
        if stored is None:
            stored = self.load.kept_gb(0, self.load.retention_hours) * GIB
        able = Pace(
            workers.count * workers.records_per_second * self.load.record_bytes, counted(workers.count, "worker")
        )
        taking = writing(sink.kind, sink.partitions_now or sink.partitions, self.load)
        return backfill(stored, self.load, self._reading.pace(), taking, able)

    def _bridge(self, workers: Workers) -> Offer:
        tasks = workers.offer(self.rates.fargate)
        return replace(tasks, items=(*tasks.items, *self._reading.items(self.rates, self.load)))

    def _assumed(self) -> Iterator[str]:
        """What nobody told, with the option that tells it where there is one."""
        if self.figures.peak_factor is None:
            yield f"how high the busiest minutes are is not known: {DEFAULT_PEAK:g} times the mean (--peak-factor)"
        if self.figures.readers is None:
            yield "how many applications read it is not known: one (--readers)"
        if self.figures.retention_hours is None:
            assumed = f"bills are for {DEFAULT_RETENTION_H:g} hours of them"
            yield f"how long records are kept is not known, or is for ever: {assumed} (--retention-hours)"
        if self.figures.on_demand is None and self.asked.source.kinesis is not None:
            yield "whether the source is an on-demand stream is not known: the mirror reads a provisioned one"

    def _policies(self) -> Mapping[str, Policy]:
        """By tasks. A placeholder stands for what nothing tells."""
        around = Surroundings(region_of(self.asked, self.figures) or REGION, self.figures.account or ACCOUNT)
        tasks = _TASKS if self.asked.cutover is None else (*_TASKS, *_OF_MIGRATIONS)
        return {task.value: policy_for(self.asked, [task], around) for task in tasks}


def _region(end: KinesisEnd | KafkaEnd) -> str | None:
    return end.reached_in if isinstance(end, KinesisEnd) else end.region


def _kind(end: KinesisEnd | KafkaEnd) -> Kind:
    return "kinesis" if isinstance(end, KinesisEnd) else "kafka"


def _of_prices(rates: Rates, region: str) -> Iterator[str]:
    """What is to be known of them before money depends on them."""
    if rates.remark:
        yield f"prices of {region}: {rates.remark} (--prices)"
    if unknown := sorted({*rates.msk.standard.broker_hour, *rates.msk.express.broker_hour} - msk.SIZES):
        yield f"what brokers of {', '.join(unknown)} are good for is not known: their prices are not used"


def _in_the_way(figures: Figures, copying: Backfill, kept: Retention, workers: Workers) -> Iterator[str]:
    """What does not do as it is."""
    if copying.hours is None:
        yield f"a backfill never catches up: {copying.pace.by} gives no more than goes on coming in"
    if not kept.source_is_enough:
        yield f"keep records of the source for {counted(kept.source, 'hour')}: for the copy, and a weekend beside it"
    if not kept.sink_is_enough:
        yield f"keep records of the sink for {counted(kept.sink, 'hour')}: what a backfill copies is gone again sooner"
    if figures.sink is not None and figures.sink.unseen:
        yield f"the sink was not seen: {figures.sink.unseen}"
    if workers.obstacle:
        yield f"one worker is not enough: {workers.obstacle}"
