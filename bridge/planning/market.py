"""All ways to have a load at Kinesis and at MSK, and where one becomes dearer than another."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise

from bridge.planning import kinesis, msk
from bridge.planning.load import Aims, Load
from bridge.planning.offer import Offer, cheapest
from bridge.planning.prices.rates import Rates
from bridge.planning.workers import Kind

Pricing = Callable[[Load], Offer]

LEAST, MOST = 1 / 64, 64.0
"""Times today's load, between which break-evens are looked for."""
_STEPS, _HALVINGS = 96, 40
_BEFORE = 1 - 1e-6

_RIVALS = (
    ("kinesis_provisioned", "kinesis_on_demand"),
    ("kinesis_provisioned", "kinesis_advantage"),
    ("kinesis_on_demand", "kinesis_advantage"),
    ("msk_standard", "msk_express"),
    ("msk_standard", "msk_serverless"),
    ("msk_express", "msk_serverless"),
    ("kinesis_provisioned", "msk_standard"),
    ("kinesis_on_demand", "msk_serverless"),
    ("kinesis_on_demand", "msk_express"),
    ("kinesis_advantage", "msk_express"),
)
"""Those that are alike, and those that a migration chooses between."""


@dataclass(frozen=True, slots=True)
class Market:
    """What is to be had in a region."""

    rates: Rates
    aims: Aims
    partitions: int
    """The least that a topic has, whatever the load."""
    shards: int = 1
    """The least that a stream has, likewise."""
    mirrors: int = 0
    """How many read all of it beside the readers of its load: the mirror, or nobody."""

    def pricings(self, kind: Kind) -> Mapping[str, Pricing]:
        """By the keys of their offers."""
        streams, clusters, transfer = self.rates.kinesis, self.rates.msk, self.rates.transfer
        needed = partial(self.needed, kind)
        if kind == "kinesis":
            return {
                "kinesis_provisioned": lambda load: kinesis.provisioned(streams.provisioned, load, needed(load)),
                "kinesis_on_demand": lambda load: kinesis.on_demand(streams.on_demand, load),
                "kinesis_advantage": lambda load: kinesis.advantage(streams.advantage, load),
            }
        return {
            "msk_standard": lambda load: msk.standard(clusters.standard, transfer, load, self._room(load)),
            "msk_express": lambda load: msk.express(clusters.express, transfer, load, self._room(load)),
            "msk_serverless": lambda load: msk.serverless(clusters.serverless, load, self._room(load)),
        }

    def ways(self, kinds: Iterable[Kind]) -> Mapping[str, Pricing]:
        """All of several kinds."""
        return {key: pricing for kind in kinds for key, pricing in self.pricings(kind).items()}

    def offers(self, kind: Kind, load: Load) -> tuple[Offer, ...]:
        return tuple(pricing(load) for pricing in self.pricings(kind).values())

    def cheapest(self, kind: Kind, load: Load) -> Offer | None:
        """Of those that do; None where none does."""
        return cheapest(self.offers(kind, load))

    def needed(self, kind: Kind, load: Load) -> int:
        """The shards or partitions that an end of ``kind`` should have."""
        if kind == "kinesis":
            return max(self.shards, kinesis.shards_for(load, self.aims, self.mirrors))
        return msk.partitions_for(load, self.aims, self.partitions, self.mirrors)

    def _room(self, load: Load) -> msk.Room:
        return msk.Room(self.aims, self.needed("kafka", load), self.mirrors)


@dataclass(frozen=True, slots=True)
class Even:
    """A load at which two ways cost the same."""

    factor: float
    """Times today's load."""
    bytes_per_second: float
    monthly_usd: float


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Of two ways: ``below`` is cheaper below the load ``at``, ``above`` above it."""

    below: str
    above: str
    at: Even | None
    """None: ``below`` is cheaper at every load that was looked at and that both take."""

    @property
    def distance(self) -> float:
        """How many times more or less than today's load it is."""
        return math.inf if self.at is None else max(self.at.factor, 1 / self.at.factor)

    def to_json(self) -> dict[str, object]:
        at = self.at
        return {
            "cheaper_below": self.below,
            "cheaper_above": self.above,
            "times_the_load": None if at is None else round(at.factor, 3),
            "bytes_per_second": None if at is None else round(at.bytes_per_second),
            "monthly_usd": None if at is None else round(at.monthly_usd, 2),
        }


def break_evens(ways: Mapping[str, Pricing], load: Load) -> tuple[BreakEven, ...]:
    """Of each two rivals the one that is nearest to ``load``: steps of whole brokers and shards may make several.

    First those that there are, the nearest first; then those of which one is cheaper throughout. Two that never do for
    the same load are not compared.
    """
    # Each way has several rivals, and is asked for the same loads beside each.
    priced = {key: cache(partial(_at, pricing, load)) for key, pricing in ways.items()}
    pairs = [_break_even(priced[one], priced[other], load) for one, other in _RIVALS if one in ways and other in ways]
    return tuple(sorted(filter(None, pairs), key=lambda each: each.distance))


def _at(pricing: Pricing, load: Load, factor: float) -> Offer:
    return pricing(load.times(factor))


def _break_even(one: Callable[[float], Offer], other: Callable[[float], Offer], load: Load) -> BreakEven | None:
    """Of two ways, each by how many times ``load`` it is priced for."""

    def is_cheaper(factor: float) -> bool:
        return one(factor).cost < other(factor).cost

    steps = [LEAST * (MOST / LEAST) ** (step / _STEPS) for step in range(_STEPS + 1)]
    answers = [(each, is_cheaper(each)) for each in steps if not one(each).obstacle and not other(each).obstacle]
    if not answers:
        return None
    found = [_crossing(is_cheaper, low, high) for (low, before), (high, after) in pairwise(answers) if before != after]
    titles = one(1.0).title, other(1.0).title
    if not found:
        return BreakEven(*(titles if answers[0][1] else titles[::-1]), None)
    factor = min(found, key=lambda each: max(each, 1 / each))
    below, above = titles if is_cheaper(factor * _BEFORE) else titles[::-1]
    return BreakEven(below, above, Even(factor, load.times(factor).bytes_per_second, one(factor).cost))


def _crossing(is_cheaper: Callable[[float], bool], low: float, high: float) -> float:
    """Where the answer changes between ``low`` and ``high``, at which it is not the same."""
    before = is_cheaper(low)
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if is_cheaper(middle) == before else (low, middle)
    return high
