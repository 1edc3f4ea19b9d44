"""The plan as a page: read by a browser, and by who cannot see it."""

import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec import json

from bridge.planning import Aims, Figures, planned
from bridge.planning.measuring.figures import Sink
from bridge.planning.page.document import document
from bridge.planning.prices.table import PriceTable, packaged
from tests.bridge.planning.orders import FIGURES, STREAM, TOPIC, mirror, plan
from tests.support.axe import broken_rules
from tests.support.browser import Tab

COPY = {"kafka": {"bootstrap_servers": ["c-1:9092"], "topic": "copy"}}
SPITEFUL = "<script>alert(1)</script>&\"'"


class _Elements(HTMLParser):
    """Every element with its attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_by_itself() -> None:
    """No script, no address, nothing to be fetched; both charts are in it."""
    found = _Elements(document(plan()))
    assert found.names.count("svg") == 2
    assert not {"script", "link", "img", "iframe", "form"} & set(found.names)
    assert not {"src", "href", "style", "onclick", "onload"} & {name for name, _ in found.attributes}


def test_between_two_streams_the_bill_of_each_is_there() -> None:
    """The mirror polls the one beside two readers, and writes origins into the other."""
    page = document(plan(replace(FIGURES, readers=2), sink={"kinesis": {"stream": "copy", "region": "us-east-1"}}))
    assert ", 33 shards</summary>" in page
    assert ", 26 shards</summary>" in page


@pytest.mark.parametrize("price", ["as it is", "nothing"])
def test_charts_are_drawn_where_no_way_does_or_all_are_free(price: str) -> None:
    """A load that no cluster takes, and agreed prices of which some are zero."""
    table = packaged()
    if price == "nothing":
        table = json.decode(re.sub(rb": *[0-9.e-]+", b":0", json.encode(table)), type=PriceTable)
    figures = Figures(1e8, 10_000) if price == "as it is" else FIGURES
    page = document(planned(mirror(TOPIC, COPY), figures, table, Aims(), "us-east-1"))
    assert _Elements(page).names.count("svg") == 2
    assert ("none does" in page) == (price == "as it is")
    assert "MSK Standard: $0.00" not in page or price == "nothing"


def test_what_others_wrote_is_shown_and_never_run() -> None:
    """Figures may come from names and files of others."""
    page = document(plan(Figures(5_000, 1_000, 3, 1, told_by=SPITEFUL)))
    assert "<script" not in page
    assert SPITEFUL in _Elements(page).text


def test_a_way_that_does_not_do_is_not_shown_as_if_it_did() -> None:
    """The chart and the bill say why."""
    page = document(plan(Figures(300_000, 1_000, 3, 1), Aims()))
    assert "does not do" in page
    assert "a cluster takes 200 MB/s and gives 400" in page


@pytest.fixture
def page(tmp_path: Path) -> str:
    """Where it is."""
    file = tmp_path / "plan.html"
    source = {"kinesis": {**STREAM["kinesis"], "stream": "a-stream-with-a-name-of-some-length"}}
    file.write_text(document(plan(source=source)), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_browser_shows_it_and_who_cannot_see_it_is_told(tab: Tab, page: str, scheme: str) -> None:
    """Under its own policy: a style that it does not name would be a complaint. Checked by axe."""
    await tab.scheme(scheme)
    await tab.open(page)
    await tab.until("document.readyState === 'complete' && document.querySelectorAll('svg').length === 2")
    assert await broken_rules(tab) == []
    assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = await tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 246, 248)", "dark": "rgb(14, 20, 27)"}[scheme]
    assert tab.requested == [page]


@pytest.fixture
def crowded(tmp_path: Path) -> str:
    """A page with all that has to be known of a load of which next to nothing was told."""
    file = tmp_path / "plan.html"
    source = {"kinesis": {**STREAM["kinesis"], "region": "eu-west-1"}}
    made = planned(mirror(source), Figures(5_000, 1_000, sink=Sink(unseen="no such topic yet")), packaged(), Aims())
    assert len(made.remarks) == 8
    file.write_text(document(made), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_printed_on_one_page(tab: Tab, crowded: str, scheme: str) -> None:
    """Dark on light, as paper is."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    await tab.call("Emulation.setEmulatedMedia", media="print", features=features)
    await tab.open(crowded)
    await tab.until("document.readyState === 'complete' && document.querySelectorAll('svg').length === 2")
    assert await tab.evaluate("getComputedStyle(document.body).color") == "rgb(22, 32, 43)"
    printed = b64decode((await tab.call("Page.printToPDF", preferCSSPageSize=True))["data"])
    assert re.findall(rb"/Count (\d+)", printed) == [b"1"]
