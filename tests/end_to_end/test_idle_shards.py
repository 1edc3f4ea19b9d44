"""Many shards in which hardly anything happens."""

import time

import pytest

from tests.support.checker import check_exact
from tests.support.factories import Figure
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory
from tests.support.waiting import eventually


@pytest.mark.parametrize(("shards", "records"), [pytest.param(100, 1_000, id="small")])
async def test_a_few_records_over_many_shards_arrive(route: RouteFactory, seed: int, shards: int, records: int) -> None:
    """Each of them once, while most shards have nothing to tell."""
    path = route(shards=shards)
    sent = list(generate(records, records // 2, seed=seed))
    async with path.mirror() as mirror:
        await mirror.until(lambda status: _running(status["lanes"]) == shards, f"{shards} lanes run")
        await path.write(sent)
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.long
async def test_one_process_keeps_up_with_a_thousand_shards(route: RouteFactory, seed: int, figure: Figure) -> None:
    """It reads each of them about once a second and leaves a third of a processor; what comes arrives within 10 s."""
    shards, window_s = 1_000, 30.0
    path = route(shards=shards)
    sent = list(generate(5_000, 5_000, seed=seed))
    async with path.mirror() as mirror:
        await mirror.until(lambda status: _running(status["lanes"]) == shards, f"{shards} lanes run", 120)
        began, used = time.monotonic(), mirror.cpu_seconds()
        await eventually(lambda: time.monotonic() > began + window_s, "the window to measure", window_s + 10)
        share = (mirror.cpu_seconds() - used) / (time.monotonic() - began)
        await path.write(sent)
        await path.until_arrived(len(sent), 10)
        figure("CPU seconds a second", f"{share:.2f}")
        figure("peak memory", f"{mirror.peak_memory() / 1e6:.0f} MB")
        assert await mirror.stop() == 0
    assert share < 0.67
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


def _running(lanes: list[dict[str, object]]) -> int:
    return sum(lane["state"] == "running" for lane in lanes)
