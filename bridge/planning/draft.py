"""A plan made of a configuration, a load and a table of prices: nothing is asked of anybody."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from bridge.config import Configuration
from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.permissions import Policy, Surroundings, Task, policy_for
from bridge.permissions.places import ACCOUNT, REGION
from bridge.planning.backfill import Backfill, Pace, backfill, writing
from bridge.planning.bill import Bill, End, bill
from bridge.planning.load import GIB, Aims, Load
from bridge.planning.market import Market, break_evens
from bridge.planning.measuring.figures import Figures
from bridge.planning.offer import Offer
from bridge.planning.plan import Plan, Prices, Side
from bridge.planning.prices.rates import Rates
from bridge.planning.prices.table import DEFAULT_REGION, PriceTable
from bridge.planning.reading import OwnReading
from bridge.planning.remarks import assumed, in_the_way, of_checkpoints, of_functions, of_prices, of_regions, of_sizes
from bridge.planning.retention import Retention, retention_for
from bridge.planning.wording import counted
from bridge.planning.work import Work, work_of, written
from bridge.planning.workers import Kind, Workers, workers_for

_TASKS = (Task.RUN, Task.DOCTOR, Task.VERIFY, Task.PLAN)
_OF_MIGRATIONS = (Task.TRANSLATE, Task.CUTOVER)


def regions_of(asked: Configuration) -> tuple[str | None, str | None]:
    """Where source and sink are, as far as the configuration tells it."""
    return _region(asked.source.end), _region(asked.sink.end)


def region_of(asked: Configuration, figures: Figures) -> str | None:
    """Where the mirror's ends are, as far as anything tells it: measured, or configured."""
    return figures.region or next(filter(None, regions_of(asked)), None)


def priced_in(asked: Configuration, figures: Figures, region: str | None = None) -> str:
    """Whose prices count: those of ``region``, by default where the mirror's ends are, or else the table's first."""
    return region or region_of(asked, figures) or DEFAULT_REGION


def planned(asked: Configuration, figures: Figures, table: PriceTable, aims: Aims, region: str | None = None) -> Plan:
    """For the mirror of ``asked``, with the prices of ``region``, or as ``priced_in`` says.

    Raises ``UsageError`` without figures, and for a region that the table does not have.
    """
    where = priced_in(asked, figures, region)
    return _Draft(asked, figures, figures.load(), table.rates(where), aims).plan(table.as_of, where)


@dataclass(frozen=True)
class _Draft:
    asked: Configuration
    figures: Figures
    load: Load
    rates: Rates
    aims: Aims

    def plan(self, as_of: str, region: str) -> Plan:
        source, sink = self._source, self._sink
        workers = workers_for(self.load, self.aims, self._work.cpu_us, self._lanes, shared=self.asked.shares_work)
        copying, bridge = self._backfill(workers), self._bridge(workers)
        kept = retention_for(copying, *self._kept_now)
        owed = self._bill(bridge, copying, kept)
        return Plan(
            mirror=self.asked.name,
            prices=Prices(as_of, region, self.rates.sources, self.rates.remark, self.rates.confirmed),
            load=self.load,
            told_by=self.figures.told_by or "figures given by hand",
            aims=self.aims,
            market=self._market,
            source=source,
            sink=sink,
            workers=workers,
            bridge=bridge,
            backfill=copying,
            retention=kept,
            bill=owed,
            break_evens=break_evens(self._market.ways({source.kind, sink.kind}), self.load),
            policies=self._policies(),
            remarks=(
                *of_prices(self.rates, region),
                *of_regions(regions_of(self.asked), region),
                *assumed(self.asked, self.figures),
                *of_checkpoints(self.asked, self._lanes),
                *of_sizes(source, sink),
                *in_the_way(self.figures, copying, kept, workers, owed),
                *of_functions(self._work, self.load, self._lanes),
            ),
        )

    @cached_property
    def _work(self) -> Work:
        return work_of(self.asked)

    @cached_property
    def _source(self) -> Side:
        found = self._side("source", self.load, self._read, self.figures.partitions)
        return replace(found, way_now=self._way_now)

    @cached_property
    def _sink(self) -> Side:
        """The mirror only writes there, and a record has its origin beside it."""
        seen, load = self.figures.sink, written(self.asked, self.load)
        if seen is not None and seen.retention_hours is not None:
            load = load.keeping(seen.retention_hours)
        now = None if seen is None else seen.partitions
        return self._side("sink", load, self._market, now)

    def _side(self, role: Literal["source", "sink"], load: Load, market: Market, now: int | None) -> Side:
        end = self.asked.source.end if role == "source" else self.asked.sink.end
        kind = _kind(end)
        return Side(role, kind, end.title, load, market.needed(kind, load), now, market.offers(kind, load))

    @property
    def _lanes(self) -> int:
        """The partitions that the source has, or should have."""
        return self.figures.partitions or self._read.needed(_kind(self.asked.source.end), self.load)

    @property
    def _market(self) -> Market:
        """Without the mirror."""
        return Market(self.rates, self.aims, self.figures.partitions or 1)

    @property
    def _read(self) -> Market:
        """Of the source, which the mirror reads too; by enhanced fan-out it takes nothing from the others."""
        return replace(self._market, mirrors=int(self.asked.fan_out_consumer is None))

    @property
    def _reading(self) -> OwnReading:
        stream, topic = self.asked.source.kinesis, self.asked.source.kafka
        if stream is None:
            return OwnReading("kafka", self._lanes, serverless=topic is not None and topic.is_serverless)
        return OwnReading(
            "kinesis",
            self._lanes,
            self.asked.fan_out_consumer is not None,
            bool(self.figures.on_demand),
            stream.read_share if "read_share" in stream.model_fields_set else None,
        )

    @property
    def _kept_now(self) -> tuple[float | None, float | None]:
        """Hours of source and sink; of what nobody has looked at, what is assumed; None: for ever."""
        seen, load = self.figures.sink, self.load
        source_for_ever = self.figures.partitions is not None and self.figures.retention_hours is None
        sink_for_ever = seen is not None and seen.partitions is not None and seen.retention_hours is None
        return (
            None if source_for_ever else load.retention_hours,
            None if sink_for_ever else self._sink.load.retention_hours,
        )

    def _backfill(self, workers: Workers) -> Backfill:
        stored, sink = self.figures.stored_bytes, self._sink
        if stored is None:
            stored = self.load.kept_gb(0, self.load.retention_hours) * GIB
        able = Pace(
            workers.count * workers.records_per_second * self.load.record_bytes, counted(workers.count, "worker")
        )
        taking = writing(sink.kind, sink.partitions_now or sink.partitions, self.load, sink.load)
        return backfill(stored, self.load, self._reading.pace(self.load), taking, able)

    def _bridge(self, workers: Workers) -> Offer:
        tasks = workers.offer(self.rates.fargate)
        return replace(tasks, items=(*tasks.items, *self._reading.items(self.rates, self.load)))

    def _bill(self, bridge: Offer, copying: Backfill, kept: Retention) -> Bill | None:
        has = 1 if self.figures.on_demand is not False else self.figures.partitions or 1
        source = self._end(self._source, replace(self._read, shards=has), kept.source, kept.source_now)
        sink = self._end(self._sink, self._market, kept.sink, kept.sink_now)
        return None if source is None or sink is None else bill(source, sink, bridge, copying)

    def _end(self, side: Side, market: Market, needed: int, now: float | None) -> End | None:
        """In the way in which it is paid for now, or else in the cheapest."""
        load, hours = self.load.keeping(side.load.retention_hours), side.load.retention_hours
        bare = replace(market, mirrors=0)
        key = side.way_now or (None if side.cheapest is None else side.cheapest.key)
        alone = bare.pricings(side.kind)[side.way_now](load) if side.way_now else bare.cheapest(side.kind, load)
        if key is None or alone is None:
            return None
        return End(market.pricings(side.kind)[key], side.load, hours if now is None else needed, alone.cost)

    @property
    def _way_now(self) -> str | None:
        """How the source is paid for, as far as its description or its address tells it."""
        topic = self.asked.source.kafka
        if topic is not None:
            return "msk_serverless" if topic.is_serverless else None
        if self.figures.on_demand is None:
            return None
        return "kinesis_on_demand" if self.figures.on_demand else "kinesis_provisioned"

    def _policies(self) -> Mapping[str, Policy]:
        """By tasks. A placeholder stands for what nothing tells."""
        around = Surroundings(region_of(self.asked, self.figures) or REGION, self.figures.account or ACCOUNT)
        tasks = _TASKS if self.asked.cutover is None else (*_TASKS, *_OF_MIGRATIONS)
        return {task.value: policy_for(self.asked, [task], around) for task in tasks}


def _region(end: KinesisEnd | KafkaEnd) -> str | None:
    return end.reached_in if isinstance(end, KinesisEnd) else end.region


def _kind(end: KinesisEnd | KafkaEnd) -> Kind:
    return "kinesis" if isinstance(end, KinesisEnd) else "kafka"
