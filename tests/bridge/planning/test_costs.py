"""What is paid for what, and where one way becomes dearer than another."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.planning import kinesis, msk
from bridge.planning.load import Aims, Load
from bridge.planning.market import Market, break_evens
from bridge.planning.offer import Offer
from bridge.planning.workers import Kind
from tests.bridge.planning.orders import LOAD, RATES

MARKET = Market(RATES, Aims(), 4)


def items(offer: Offer) -> set[str]:
    return {item.what for item in offer.items}


@pytest.mark.parametrize(
    ("hours", "kept"),
    [
        (24, set()),
        (168, {"keeping up to 7 days"}),
        (720, {"keeping up to 7 days", "keeping beyond 7 days"}),
    ],
)
def test_keeping_records_is_paid_in_steps(hours: float, kept: set[str]) -> None:
    """A day is free, a week is one price and what is older another, however the stream is paid for."""
    load = replace(LOAD, retention_hours=hours)
    for offer in (
        kinesis.provisioned(RATES.kinesis.provisioned, load, 4),
        kinesis.on_demand(RATES.kinesis.on_demand, load),
    ):
        assert {what for what in items(offer) if "keeping" in what} == kept


def test_small_records_are_paid_as_if_they_were_whole() -> None:
    """A kilobyte on demand, a PUT unit of 25 where it is provisioned."""
    small, whole = Load(1_000, 100), Load(1_000, 1_024)
    for load in (small, whole):
        assert kinesis.on_demand(RATES.kinesis.on_demand, load).items[1].quantity == pytest.approx(2506.3, abs=0.1)
    assert kinesis.provisioned(RATES.kinesis.provisioned, small, 1).items[1].quantity == small.records_per_month


@pytest.mark.parametrize(("size", "units"), [(1, 1), (25 * 1024, 1), (25 * 1024 + 1, 2), (1_048_576, 41)])
def test_a_put_unit_is_of_25_kib(size: int, units: int) -> None:
    """One byte more is another."""
    load = Load(1, size)
    assert kinesis.provisioned(RATES.kinesis.provisioned, load, 1).items[1].quantity == units * load.records_per_month


def test_fan_out_is_paid_by_who_has_it() -> None:
    """A poller of a provisioned stream pays nothing."""
    polled = kinesis.provisioned(RATES.kinesis.provisioned, replace(LOAD, readers=5), 4)
    assert items(polled) == {"shards", "writing"}
    fanned = kinesis.provisioned(RATES.kinesis.provisioned, replace(LOAD, fan_out_readers=2), 4)
    assert {"fan-out consumers", "fan-out reading"} < items(fanned)


def test_a_break_even_is_where_both_cost_the_same() -> None:
    """And the one that is named for less is cheaper below it."""
    pricings = MARKET.pricings("kinesis")
    (even,) = [
        each
        for each in break_evens(MARKET.pricings("kinesis"), LOAD)
        if each.below == "Kinesis on-demand standard" and "advantage" in each.above
    ]
    assert even.at is not None
    below, above = LOAD.times(even.at.factor * 0.9), LOAD.times(even.at.factor * 1.1)
    assert pricings["kinesis_on_demand"](below).cost < pricings["kinesis_advantage"](below).cost
    assert pricings["kinesis_on_demand"](above).cost > pricings["kinesis_advantage"](above).cost
    assert pricings["kinesis_advantage"](LOAD.times(even.at.factor)).cost == pytest.approx(
        even.at.monthly_usd, rel=0.01
    )


def test_a_break_even_is_of_two_ways_that_both_do() -> None:
    """What a quota ends is no price: nothing is said of ways that never do for the same load."""
    huge = LOAD.times(1e6)
    assert break_evens(MARKET.pricings("kafka"), huge) == ()
    pricings = MARKET.pricings("kafka")
    for each in break_evens(pricings, LOAD.times(4)):
        if each.at is not None:
            at = LOAD.times(4).times(each.at.factor)
            offers = [pricing(at) for pricing in pricings.values() if pricing(at).title in (each.below, each.above)]
            assert not any(offer.obstacle for offer in offers), each


def test_peaks_are_what_on_demand_is_for() -> None:
    """Shards for a peak that seldom comes are dearer than what goes through, at small loads."""
    spiky = Load(20, 1_000, peak_factor=400)
    (even,) = [
        each for each in break_evens(MARKET.pricings("kinesis"), spiky) if "standard" in each.below + each.above
    ][:1]
    assert even.at is not None
    offers = {each.key: each for each in MARKET.offers("kinesis", spiky)}
    assert offers["kinesis_on_demand"].cost < offers["kinesis_provisioned"].cost


@given(st.floats(0.01, 100), st.floats(1.01, 10), st.sampled_from(["kinesis", "kafka"]))
def test_more_load_never_costs_less(factor: float, more: float, kind: Kind) -> None:
    """Of every way that does for both."""
    for one, other in zip(
        MARKET.offers(kind, LOAD.times(factor)),
        MARKET.offers(kind, LOAD.times(factor * more)),
        strict=True,
    ):
        assert other.obstacle or one.cost <= other.cost + 0.01


def test_what_goes_between_zones_is_paid_at_both_ends() -> None:
    """Two thirds of what is written, and of what each reader takes."""
    (item,) = [
        item
        for item in msk.standard(RATES.msk.standard, RATES.transfer, LOAD, msk.Room(Aims(), 12)).items
        if item.part == "network"
    ]
    assert item.quantity == pytest.approx(LOAD.gb_per_month * 2 * 2 / 3 * 2)


def test_both_services_are_compared_where_a_mirror_is_between_them() -> None:
    """What a migration is decided by; the break-evens that there are come first, the nearest first."""
    found = break_evens(MARKET.ways(("kinesis", "kafka")), LOAD)
    across = [each for each in found if ("Kinesis" in each.below) != ("Kinesis" in each.above)]
    assert len(across) == 4
    distances = [each.distance for each in found]
    assert distances == sorted(distances)
    assert not any("MSK" in each.below + each.above for each in break_evens(MARKET.ways(["kinesis"]), LOAD))
