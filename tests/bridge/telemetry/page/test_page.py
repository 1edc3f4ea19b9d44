from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.engine.status import LaneState
from bridge.telemetry.http import TelemetryServer
from bridge.telemetry.listener import Listener
from bridge.telemetry.parity import ParityCounts
from tests.bridge.telemetry.page.busy_mirror import BusyMirror
from tests.support.axe import broken_rules
from tests.support.browser import Tab

HOST = "127.0.0.1"
LANES = 1000
ROWS = "document.querySelectorAll('tr.lane')"
FIRST = f"{ROWS}[0].querySelector('button').textContent"


@asynccontextmanager
async def served(*mirrors: BusyMirror, token: str | None = None, port: int = 0) -> AsyncIterator[str]:
    """Where a process with these mirrors is asked."""
    listener = Listener(HOST, port, None if token is None else SecretStr(token))
    async with TelemetryServer(listener, [mirror.observed for mirror in mirrors], "1.2.3") as server:
        yield f"http://{HOST}:{server.port}"


@pytest.fixture
def busy() -> BusyMirror:
    return BusyMirror(LANES)


@pytest.fixture
async def shown(busy: BusyMirror, tab: Tab) -> AsyncIterator[Tab]:
    """The page of ``busy``, with its lanes in sight."""
    async with served(busy) as url:
        await tab.open(url)
        await tab.until(f"{ROWS}.length > 0")
        yield tab


async def figure(tab: Tab, title: str) -> Any:
    """What stands below a heading at the top of the page."""
    boxes = "[...document.querySelectorAll('#figures div')]"
    return await tab.evaluate(
        f"{boxes}.find((box) => box.children[0].textContent === {title!r}).children[1].textContent.trim()"
    )


async def test_a_thousand_lanes_are_there_and_only_those_in_sight_exist(shown: Tab, busy: BusyMirror) -> None:
    """The table says how many rows it has, and makes no more of them than a screen holds."""
    assert await shown.evaluate("document.getElementById('table').getAttribute('aria-rowcount')") == str(LANES + 1)
    assert await shown.evaluate(f"{ROWS}.length") < 60
    assert await figure(shown, "Lanes running") == "1,000 of 1,000"
    assert await figure(shown, "Records written") == "500K"
    source = await shown.evaluate("document.getElementById('source').textContent")
    assert source == busy.observed.source


async def test_the_page_asks_its_own_server_and_nobody_else(busy: BusyMirror, tab: Tab) -> None:
    """It is one document, and one stream of events."""
    async with served(busy) as url:
        await tab.open(url)
        await tab.until(f"{ROWS}.length > 0")
        assert [asked for asked in tab.requested if not asked.startswith("data:")] == [f"{url}/", f"{url}/events"]


async def test_nothing_that_is_not_the_page_s_own_runs_in_it(shown: Tab) -> None:
    """Its policy refuses whatever somebody might get into it."""
    await shown.evaluate(
        """(() => { window.refused = [];
        addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
        const image = new Image(); image.src = 'https://example.com/a.png'; document.body.append(image);
        const style = document.createElement('style'); style.textContent = 'body {}'; document.body.append(style);
        try { document.body.innerHTML = '<b>'; } catch { refused.push('innerHTML'); } })()"""
    )
    await shown.until("refused.length >= 4")
    found = set(await shown.evaluate("refused"))
    assert found >= {"img-src", "style-src-elem", "innerHTML"}
    shown.complaints.clear()


async def test_the_page_follows_what_moves_and_touches_nothing_else(shown: Tab, busy: BusyMirror) -> None:
    """One lane that moved is one row that is written anew."""
    await shown.evaluate(
        """(() => { window.touched = new Set();
        const line = (node) => (node.closest ? node : node.parentElement)?.closest('tr')?.dataset.partition;
        new MutationObserver((changes) => changes.forEach((each) => touched.add(line(each.target)))).observe(
          document.querySelector('#table tbody'), { subtree: true, childList: true, characterData: true }); })()"""
    )
    busy.lanes[3] = replace(busy.lanes[3], records_written=77_777)
    await shown.until("document.querySelector('#table tbody').textContent.includes('77,777')")
    # Rows that come into sight are no change of a row.
    assert await shown.evaluate("[...touched].filter(Boolean)") == [busy.lanes[3].partition]


async def test_a_lane_that_needs_a_person_stands_on_top_and_is_said_aloud(shown: Tab, busy: BusyMirror) -> None:
    """With what is wrong, without anyone looking for it."""
    busy.hold(700, "access denied (add kinesis:GetRecords to the role)")
    await shown.until(f"{FIRST} === 'shardId-000000000700'")
    problems = await shown.evaluate("document.getElementById('problems').innerText")
    assert "One lane needs you" in problems
    assert "access denied (add kinesis:GetRecords to the role)" in problems
    spoken = await shown.evaluate("document.getElementById('announcements').textContent")
    assert spoken == "orders is running, one lane needs you"


async def test_lanes_are_found_sorted_and_opened_by_keyboard_alone(shown: Tab, busy: BusyMirror) -> None:
    """Filter, sort, scroll to the end, open and close a lane: no pointer is needed, and the focus is never lost."""
    busy.lanes[421] = replace(busy.lanes[421], lag_ms=86_400_000)
    await shown.press("/")
    await shown.type("0042")
    await shown.until("document.getElementById('lanes-count').textContent === '11 of 1,000'")
    await shown.evaluate("document.querySelectorAll('#table thead button')[3].focus()")
    await shown.press("Enter")
    await shown.until(f"{FIRST} === 'shardId-000000000421'")
    assert await shown.evaluate("document.querySelectorAll('#table th')[3].getAttribute('aria-sort')") == "descending"
    await shown.evaluate(f"{ROWS}[0].querySelector('button').focus()")
    await shown.press("Enter")
    await shown.until("document.getElementById('details').open")
    assert "24 h" in await shown.evaluate("document.getElementById('details-list').innerText")
    await shown.press("Escape")
    await shown.until("!document.getElementById('details').open")
    await shown.until("document.activeElement.textContent === 'shardId-000000000421'")


async def test_the_last_of_a_thousand_lanes_is_a_key_away(shown: Tab) -> None:
    """The table is scrolled as any other, and the rows that come into sight are made."""
    await shown.evaluate("document.getElementById('scroller').focus()")
    await shown.press("End")
    last = f"[...{ROWS}].at(-1)"
    await shown.until(f"{last}.querySelector('button').textContent === 'shardId-000000000999'")
    assert await shown.evaluate(f"{last}.getAttribute('aria-rowindex')") == str(LANES + 1)
    assert await shown.evaluate(f"{ROWS}.length") < 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_is_fit_for_everyone(shown: Tab, busy: BusyMirror, scheme: str) -> None:
    """No rule of axe is broken: contrast, names, roles, landmarks, in either scheme."""
    await shown.scheme(scheme)
    busy.hold(1, "denied")
    busy.lanes[2] = replace(busy.lanes[2], state=LaneState.RETRYING)
    await shown.until("!document.getElementById('problems').hidden")
    await shown.call("Page.setBypassCSP", enabled=True)
    await shown.call("Page.reload")
    await shown.until(f"{ROWS}.length > 0 && !document.getElementById('problems').hidden")
    assert await broken_rules(shown) == []


async def test_both_schemes_are_of_the_person_s_choice(shown: Tab) -> None:
    """The page follows the system, without being asked."""
    grounds = []
    for scheme in ("light", "dark"):
        await shown.scheme(scheme)
        grounds.append(await shown.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(244, 246, 248)", "rgb(14, 20, 27)"]


async def test_the_last_hour_is_drawn_and_said_in_words(busy: BusyMirror, tab: Tab) -> None:
    """A chart has its numbers as a sentence and as a table too."""
    listener = Listener(HOST, 0)
    async with TelemetryServer(listener, [busy.observed], "1.2.3") as server:
        for _ in range(3):
            busy.tick()
            server.sample()
        await tab.open(f"http://{HOST}:{server.port}/")
        await tab.until("document.querySelector('#throughput-chart .line').getAttribute('d').startsWith('M')")
        label = "document.querySelector('#throughput-chart svg').getAttribute('aria-label')"
        assert "Throughput over the last hour: now " in await tab.evaluate(label)
        await tab.evaluate("document.querySelector('#lag-chart summary').click()")
        await tab.until("document.querySelectorAll('#lag-chart td').length >= 3")


async def test_a_page_without_the_token_asks_for_it_and_keeps_it_to_itself(busy: BusyMirror, tab: Tab) -> None:
    """A wrong one is said to be wrong; the right one is in no address and survives a reload."""
    async with served(busy, token="correct-horse") as url:
        await tab.open(url)
        await tab.until("!document.getElementById('door').hidden && document.activeElement.id === 'token'")
        assert "orders" not in await tab.evaluate("document.documentElement.outerHTML")
        await tab.type("wrong")
        await tab.press("Enter")
        await tab.until("document.getElementById('door-trouble').textContent === 'This is not the token'")
        await tab.type("correct-horse")
        await tab.press("Enter")
        await tab.until(f"{ROWS}.length > 0")
        await tab.call("Page.reload")
        await tab.until(f"{ROWS}.length > 0")
        assert not any("correct-horse" in asked for asked in tab.requested)
    # What the server refused is an error to the console.
    assert all("401" in complaint for complaint in tab.complaints[:2])
    tab.complaints.clear()


async def test_a_server_that_went_away_is_found_again(busy: BusyMirror, tab: Tab) -> None:
    """The page says that it knows nothing new, tries again by itself, and goes on."""
    async with served(busy) as url:
        await tab.open(url)
        await tab.until(f"{ROWS}.length > 0")
    await tab.until("document.getElementById('link').dataset.link === 'lost'")
    busy.lanes[0] = replace(busy.lanes[0], records_written=88_888)
    async with served(busy, port=int(url.rpartition(":")[2])):
        await tab.until("document.getElementById('link').dataset.link === 'live'")
        await tab.until("document.querySelector('#table tbody').textContent.includes('88,888')")
    tab.complaints.clear()


async def test_each_of_several_mirrors_is_a_link_away(busy: BusyMirror, tab: Tab) -> None:
    """One that has none of the lanes of the other shows none of them."""
    async with served(busy, BusyMirror(3, "payments")) as url:
        await tab.open(f"{url}/#payments")
        await tab.until("document.getElementById('name').textContent === 'payments'")
        await tab.until(f"{ROWS}.length === 3")
        await tab.evaluate("document.querySelector('#mirrors a').click()")
        await tab.until("document.getElementById('name').textContent === 'orders'")
        assert await tab.evaluate("document.querySelector('#mirrors a').getAttribute('aria-current')") == "page"


async def test_a_job_shows_how_far_it_is(shown: Tab, busy: BusyMirror) -> None:
    """All of it, and the partitions that take longest."""
    part = {"name": "shardId-7", "state": "copying", "share": 0.4, "records_per_second": 10.0, "remaining_s": 60.0}
    whole = {"share": 0.999, "records": 1234, "records_per_second": 10.0, "remaining_s": 60.0}
    busy.job = {"kind": "backfill", **whole, "states": {"copying": 1, "done": 3}, "partitions": [part]}
    await shown.until("!document.getElementById('job').hidden")
    text = await shown.evaluate("document.getElementById('job').innerText")
    assert "99 %" in text
    assert "1 copying, 3 done; 1,234 records copied" in text
    await shown.evaluate("document.querySelector('#job-parts summary').click()")
    await shown.until("document.getElementById('job-parts').innerText.includes('shardId-7')")


async def test_a_migration_shows_its_steps_and_which_is_next(shown: Tab, busy: BusyMirror) -> None:
    """In words and signs, not by colour alone."""
    states = {"preflight": "done", "backfilled": "next", "finished": "later"}
    steps = [{"name": name, "title": f"all is {name}", "state": state} for name, state in states.items()]
    busy.cutover = {"steps": steps, "told": "stop the producers", "is_finished": False}
    await shown.until("!document.getElementById('cutover').hidden")
    text = await shown.evaluate("document.getElementById('cutover').textContent")
    assert "1 of 3 steps done" in text
    assert "all is backfilled: next" in text
    assert "stop the producers" in text
    following = "document.querySelector('#cutover [aria-current=step]').textContent"
    assert await shown.evaluate(following) == "all is backfilled: next"


async def test_a_verification_that_goes_on_shows_what_is_proven(tab: Tab) -> None:
    """Where no mirror runs, too."""
    counts = ParityCounts("orders")
    counts.add(5000, {"missing": 2})
    counts.proven_ms = 1_790_000_000_000
    async with TelemetryServer(Listener(HOST, 0), [], "1", comparisons=[counts]) as server:
        await tab.open(f"http://{HOST}:{server.port}/")
        await tab.until("document.getElementById('comparisons').innerText.includes('Verification of orders')")
        text = await tab.evaluate("document.getElementById('comparisons').innerText")
    assert "2 missing" in text
    assert "5,000 records, compared up to 2026-09-21T14:13:20Z" in text
