"""What docs/plan.md reckons by hand, after AWS's own examples."""

import re

import pytest

from bridge.planning import kinesis, msk
from bridge.planning.load import KIB, Aims, Load
from bridge.planning.offer import Offer
from tests.bridge.planning.orders import RATES
from tests.docs.pages import ROOT

FULL = Aims(headroom=0, growth=1)
CALCULATOR = Load(10, 10 * KIB, readers=10, fan_out_readers=10)


def by_part(offer: Offer) -> dict[str, float]:
    return {item.what: round(item.cost, 2) for item in offer.items}


@pytest.mark.parametrize(("records", "shards", "dollars"), [(10, 2, 22), (100, 2, 26), (1_000, 10, 146)])
def test_a_stream_of_aws_s_clickstream_solution_costs_what_it_says(records: int, shards: int, dollars: int) -> None:
    """To the dollar, as it rounds: records of a KB, by the second."""
    assert round(kinesis.provisioned(RATES.kinesis.provisioned, Load(records, KIB), shards).cost) == dollars


def test_a_stream_that_others_had_reckoned_costs_what_the_calculator_told_them() -> None:
    """10,000 records/s of half a KB, over the ten shards that records alone take."""
    load = Load(10_000, KIB / 2, readers=0)
    assert kinesis.shards_for(load, FULL) == 10
    offer = kinesis.provisioned(RATES.kinesis.provisioned, load, 10)
    assert by_part(offer) == {"shards": 109.5, "writing": 367.92}
    assert round(offer.cost, 2) == 477.42


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
    assert {
        "22.27",
        "25.58",
        "146.29",
        "109.50",
        "367.92",
        "477.42",
        "273.85",
        "274.81",
        "3,079.73",
        "893.52",
        "1,101.38",
        "362.10",
        "4,405.53",
    } <= told
