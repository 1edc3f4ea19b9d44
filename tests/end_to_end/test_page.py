"""What page, /events, /status, /metrics and command show of a running mirror, beside what is counted outside."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from tests.support.browser import Tab
from tests.support.command import run_command
from tests.support.records import generate
from tests.support.route import RouteFactory

_FIGURES = """Object.fromEntries([...document.querySelectorAll('#figures div')].map(
    (box) => [box.children[0].textContent, box.children[1].textContent.trim()]))"""
_ROWS = """[...document.querySelectorAll('tr.lane')].map((row) => [...row.children].map((cell) => cell.textContent))"""


async def test_all_that_shows_a_mirror_shows_the_same(route: RouteFactory, seed: int, tab: Tab) -> None:
    """And that is what went in at one end, and what is found at the other."""
    path = route()
    sent = list(generate(3_000, 50, seed=seed))
    size = sum(len(record.value(0)) + len(record.key) for record in sent)
    async with path.mirror() as mirror:
        await path.write(sent)
        await mirror.until_written(len(sent))
        await mirror.until(_is_at_rest, "nothing moves any more")
        arrived = len(await path.records())
        status, snapshot = await mirror.status(), await _snapshot(mirror.url)
        told = await run_command("status", mirror.config, "--json")
        await tab.open(mirror.url)
        await tab.until("document.querySelectorAll('tr.lane').length === 4")
        figures, rows = await tab.evaluate(_FIGURES), await tab.evaluate(_ROWS)

        assert arrived == len(sent) == status["records_total"]
        assert size == status["bytes_total"]
        assert _without_rates(snapshot) == _without_rates(json.loads(told.out)) == _without_rates(status)

        for name, value in (("records_written", "records_total"), ("bytes_written", "bytes_total")):
            assert await mirror.metric(f"kmbridge_{name}_total") == status[value]
        assert await mirror.metric("kmbridge_records_read_total") == status["records_read_total"]
        assert await mirror.metric("kmbridge_gaps_total") == status["gaps_total"] == 0
        retries = sum(each["total"] for each in status["retries"])
        assert await mirror.metric("kmbridge_retries_total") == retries
        for lane in status["lanes"]:
            assert await mirror.metric("kmbridge_lag_seconds", partition=lane["partition"]) == lane["lag_seconds"]

        assert figures["Records written"] == f"{len(sent):,}"
        assert figures["Lanes running"] == "4 of 4"
        assert (figures["Gaps"], figures["Retries"]) == ("0", str(retries))
        shown = {row[0]: (row[1], row[2].strip("\u200e"), row[6]) for row in rows}
        assert shown == {
            lane["partition"]: (lane["state"], lane["position"], f"{lane['records_total']:,}")
            for lane in status["lanes"]
        }
        assert await mirror.stop() == 0


def _is_at_rest(status: Mapping[str, Any]) -> bool:
    is_read = all(lane["lag_seconds"] == 0 for lane in status["lanes"])
    return is_read and status["checkpoint_age_seconds"] == 0


def _without_rates(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What does not change while nothing moves: a rate is of the last ten seconds."""
    moving = {"records_per_second", "history"}
    lanes = [{key: value for key, value in lane.items() if key not in moving} for lane in document["lanes"]]
    return {**{key: value for key, value in document.items() if key not in moving}, "lanes": lanes}


async def _snapshot(url: str) -> Mapping[str, Any]:
    """The mirror as /events tells of it first."""
    async with aiohttp.ClientSession(url) as session, session.get("/events") as response:
        event = (await response.content.readuntil(b"\n\n")).decode()
    name, data, *_ = event.split("\n")
    assert name == "event: snapshot"
    mirror: Mapping[str, Any] = json.loads(data.removeprefix("data: "))["mirrors"][0]
    return mirror
