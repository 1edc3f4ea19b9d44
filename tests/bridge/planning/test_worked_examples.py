"""What docs/plan.md reckons by hand, after AWS's own examples."""

import re

import pytest

from bridge.planning import kinesis, msk
from bridge.planning.load import KIB, MONTH_HOURS, Aims, Load
from bridge.planning.offer import Offer
from tests.bridge.planning.orders import RATES
from tests.docs.pages import ROOT

FULL = Aims(headroom=0, growth=1)
CALCULATOR = Load(10, 10 * KIB, readers=10, fan_out_readers=10)


def by_part(offer: Offer) -> dict[str, float]:
    return {item.what: round(item.cost, 2) for item in offer.items}


def test_a_stream_of_the_pricing_page_costs_what_it_says() -> None:
    """100 records/s of 35 KB: 4 shards, two PUT units a record, $1.68 a day."""
    load = Load(100, 35 * KIB)
    shards = kinesis.shards_for(load, FULL)
    assert shards == 4
    daily = kinesis.provisioned(RATES.kinesis.provisioned, load, shards).cost / MONTH_HOURS * 24
    assert round(daily, 2) == 1.68


@pytest.mark.parametrize(
    ("offer", "dollars"),
    [
        pytest.param(kinesis.provisioned(RATES.kinesis.provisioned, CALCULATOR, 2), 273.85, id="provisioned"),
        pytest.param(kinesis.on_demand(RATES.kinesis.on_demand, CALCULATOR), 274.81, id="on-demand standard"),
        pytest.param(
            kinesis.advantage(RATES.kinesis.advantage, Load(3, 200 * KIB, readers=2)), 3079.73, id="advantage"
        ),
    ],
)
def test_a_stream_of_the_pricing_calculator_costs_what_it_says(offer: Offer, dollars: float) -> None:
    """To a nickel: the calculator rounds on its way."""
    assert offer.cost == pytest.approx(dollars, abs=0.05)


def test_a_cluster_of_the_developer_guide_has_the_brokers_that_it_says() -> None:
    """45 MB/s in and 90 out are three brokers express.m7g.large, whose bill the page reckons line by line."""
    load = Load(45_000, 1_000, readers=2, retention_hours=24)
    offer = msk.express(RATES.msk.express, RATES.transfer, load, msk.Room(FULL, 3))
    assert offer.size == "3 express.m7g.large"
    assert by_part(offer) == {
        "express.m7g.large": 893.52,
        "writing": 1101.38,
        "storage": 362.1,
        "between zones": 4405.53,
    }


def test_the_page_has_these_sums() -> None:
    """So that nobody changes the one and forgets the other."""
    page = (ROOT / "docs/plan.md").read_text(encoding="utf-8")
    told = set(re.findall(r"\$([\d,]+\.\d\d)", page))
    assert {"1.68", "273.85", "274.81", "3,079.73", "893.52", "1,101.38", "362.10", "4,405.53"} <= told
