"""What the live page costs: the browser that shows it, and the process that feeds it, with a lane a row."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from bench.process import TrialError
from bridge.telemetry.http import TelemetryServer
from bridge.telemetry.listener import Listener
from tests.bridge.telemetry.page.busy_mirror import BusyMirror
from tests.support.browser import Tab, browsing

LANES = (10, 1_000, 5_000)
_SECONDS = 15

_LONGEST_TASK = """new Promise((done) => {
  window.longest = 0; window.frames = [];
  const note = (list) => list.getEntries().forEach((each) => { longest = Math.max(longest, each.duration); });
  new PerformanceObserver(note).observe({ type: 'longtask' });
  let before = performance.now();
  const frame = (now) => { frames.push(now - before); before = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame); done();
})"""
_SCROLL = "document.getElementById('scroller').scrollTop += 97"


@dataclass(frozen=True, slots=True)
class PageCost:
    """One page, open for some seconds in which a third of the lanes moves each second and somebody scrolls."""

    lanes: int
    shown_ms: float
    """From the request to the first rows."""
    browser_ms: float
    """A second, of the page's main thread: scripts, style, layout, painting."""
    script_ms: float
    longest_ms: float
    """The longest task of more than 50 ms; 0: there was none."""
    frame_ms: float
    """Between frames, 99th percentile."""
    server_ms: float
    """A second, of the process that feeds it."""


async def measure(repeat: int) -> list[PageCost]:
    with browsing() as browser:
        found = []
        for lanes in LANES:
            for _ in range(repeat):
                async with browser.tab() as tab:
                    found.append(await _cost(tab, lanes))
        return found


async def _cost(tab: Tab, lanes: int) -> PageCost:
    busy = BusyMirror(lanes)
    async with _moving(busy), TelemetryServer(Listener("127.0.0.1", 0), [busy.observed], "0") as server:
        begun_s = time.monotonic()
        await tab.open(f"http://127.0.0.1:{server.port}/")
        await tab.until("document.querySelectorAll('tr.lane').length > 0")
        shown_ms = (time.monotonic() - begun_s) * 1000
        await tab.evaluate(_LONGEST_TASK)
        await tab.call("Performance.enable")
        before, cpu_s = await _figures(tab), time.process_time()
        for _ in range(_SECONDS * 2):
            await tab.evaluate(_SCROLL)
            await asyncio.sleep(0.5)
        after, cpu_s = await _figures(tab), time.process_time() - cpu_s
        if tab.complaints:
            raise TrialError(f"the page complains: {tab.complaints}")
        spent = {name: (after[name] - before[name]) / _SECONDS * 1000 for name in after}
        frames = await tab.evaluate("frames")
        return PageCost(
            lanes,
            shown_ms,
            spent["TaskDuration"],
            spent["ScriptDuration"],
            await tab.evaluate("longest"),
            statistics.quantiles(frames, n=100)[-1],
            cpu_s / _SECONDS * 1000,
        )


async def _figures(tab: Tab) -> Mapping[str, float]:
    told = await tab.call("Performance.getMetrics")
    return {each["name"]: each["value"] for each in told["metrics"] if each["name"].endswith("Duration")}


@asynccontextmanager
async def _moving(busy: BusyMirror) -> AsyncIterator[None]:
    async def move() -> None:
        while True:
            busy.tick()
            await asyncio.sleep(1)

    moving = asyncio.create_task(move())
    try:
        yield
    finally:
        moving.cancel()


def as_json(found: Sequence[PageCost]) -> list[dict[str, Any]]:
    return [asdict(each) for each in found]


def as_text(found: Sequence[PageCost]) -> str:
    titles = ("lanes", "shown ms", "browser ms/s", "script ms/s", "longest ms", "frame p99 ms", "server ms/s")
    rows = ["".join(f"{title:>14}" for title in titles)]
    rows += ["".join(f"{value:>14,.1f}" for value in asdict(each).values()) for each in found]
    return "\n".join(rows)
