"""What a backfill says of a range that is not there, or not its own, and of what comes in between."""

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.checker import check_exact
from tests.support.command import Finished, run_command
from tests.support.mirror_process import MirrorProcess
from tests.support.records import generate, ids_by_key
from tests.support.route import Route, RouteFactory
from tests.support.shards import open_shards, split
from tests.support.waiting import eventually

pytestmark = [pytest.mark.broker, pytest.mark.kinesis]

SLOW = {"limits": {"records_per_second": 200}}
COPYING = '"copying"'


async def backfill(mirror: MirrorProcess, *options: object) -> Finished:
    return await run_command("backfill", mirror.config, *options, "--json")


def report_of(finished: Finished) -> dict[str, Any]:
    assert finished.out, finished.err
    report: dict[str, Any] = json.loads(finished.out)
    return report


def hours(ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=ahead)).isoformat(timespec="seconds")


async def _filled(path: Route, count: int = 100) -> Route:
    await path.write(generate(count, 10, seed=1))
    return path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("--until", hours(1)), "it is", id="end-to-come"),
        pytest.param(("--from", hours(-1), "--until", hours(-2)), "is before --from", id="end-before-start"),
        pytest.param(("--until", "trim_horizon"), "nothing is before it", id="end-at-the-horizon"),
        pytest.param(("--until", "shardId-000000000009/17"), "no partition", id="unknown-partition"),
        pytest.param(("--until", "17"), "which of 4 partitions", id="position-of-no-partition"),
        pytest.param(("--from", "2020-01-01"), "without its zone", id="time-without-zone"),
        pytest.param(("--again", "--from", "trim_horizon"), "leave --from out", id="again-from"),
    ],
)
async def test_a_range_that_cannot_be_is_refused_and_nothing_is_frozen(
    route: RouteFactory, options: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with what is wrong; the next call may ask for another."""
    mirror = (await _filled(route())).mirror()
    finished = await backfill(mirror, *options)
    assert (finished.code, said in finished.err) == (2, True), finished.err
    assert await mirror.checkpoints() == {}


async def test_an_empty_stream_is_copied_at_once(route: RouteFactory) -> None:
    """No records, complete."""
    finished = await backfill(route().mirror())
    assert finished.code == 0
    report = report_of(finished)
    assert (report["records"], report["verdict"], len(report["partitions"])) == (0, "complete", 4)


async def test_a_start_before_the_horizon_begins_at_the_horizon_where_nothing_was_lost(route: RouteFactory) -> None:
    """As a mirror with that start does."""
    path = await _filled(route())
    finished = await backfill(path.mirror(), "--from", "2020-01-01T00:00:00Z")
    assert finished.code == 0, finished.err
    assert report_of(finished)["records"] == 100


async def test_an_end_in_the_past_leaves_out_what_came_later_and_open_children(route: RouteFactory) -> None:
    """A shard that was split after the end: its parent is copied, its children hold nothing of the range."""
    path = await _filled(route(shards=1))
    until = datetime.now(UTC) + timedelta(seconds=1)
    # Arrivals are told by the second.
    await eventually(lambda: datetime.now(UTC) > until + timedelta(seconds=1), "a second behind the end")
    await asyncio.to_thread(split, path.kinesis, path.stream, open_shards(path.kinesis, path.stream)[0])
    more = list(generate(200, 10, seed=1))[100:]
    await path.write(more)
    mirror = path.mirror()
    finished = await backfill(mirror, "--until", until.isoformat())
    assert finished.code == 0, finished.err
    report = report_of(finished)
    assert [each["records"] for each in report["partitions"]] == [100, 0, 0]
    async with mirror:
        await path.until_arrived(200)
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(generate(200, 10, seed=1)), await path.ids_by_key())
    assert verdict.ok, verdict


async def test_it_is_refused_beside_a_running_mirror_of_its_name(route: RouteFactory) -> None:
    """Exit code 1, and the mirror goes on."""
    path = await _filled(route())
    more = {"name": path.topic, "checkpoints": None, "workers": {"session_timeout": "2s"}}
    async with path.mirror(more) as mirror:
        await mirror.until_written(100)
        finished = await backfill(mirror, "--set", "http=null")
        assert (finished.code, "stop the mirror" in finished.err) == (1, True), finished.err
        await path.write(list(generate(110, 10, seed=1))[100:])
        await path.until_arrived(110)
        assert await mirror.stop() == 0


async def test_a_mirror_that_comes_meanwhile_ends_it(route: RouteFactory) -> None:
    """Both would share the work: the backfill fails and says why; the mirror has all records, each once."""
    path = await _filled(route(), 2_000)
    more = {"name": path.topic, "checkpoints": None, "workers": {"session_timeout": "2s"}, **SLOW}
    mirror = path.mirror(more)
    async with mirror.running("backfill"):
        await mirror.until_written(100)
        async with path.through(folder=path.folder / "other").mirror({**more, "limits": None}) as other:
            assert await mirror.ended() == 1
            assert "another worker" in mirror.printed()
            await path.until_committed(2_000)
            assert await other.stop() == 0
    verdict = check_exact(ids_by_key(generate(2_000, 10, seed=1)), await path.ids_by_key())
    assert verdict.ok, verdict


async def test_a_signal_stops_it_and_the_same_command_goes_on(route: RouteFactory) -> None:
    """It exits 1, for the range is not there; another range is refused until it is, and --again gives it up."""
    path = await _filled(route(), 1_000)
    mirror = path.mirror(SLOW)
    async with mirror.running("backfill", "--from", "trim_horizon"):
        await mirror.until_written(50)
        mirror.signal(signal.SIGTERM)
        assert await mirror.ended() == 1
    assert "interrupted" in mirror.printed()
    other = await backfill(mirror, "--until", hours(-1))
    assert (other.code, "begun --until now" in other.err) == (2, True), other.err
    finished = await backfill(mirror, "--from", "trim_horizon", "--set", "limits.records_per_second=null")
    assert (finished.code, report_of(finished)["records"]) == (0, 1_000), finished.err
    assert await path.ids_by_key() == ids_by_key(generate(1_000, 10, seed=1))


async def test_a_mirror_that_stands_somewhere_goes_on_from_there_to_an_end(route: RouteFactory) -> None:
    """--from is refused; --again copies what has come since the last job, and no more."""
    path = await _filled(route())
    async with path.mirror() as mirror:
        await mirror.until_written(100)
        assert await mirror.stop() == 0
    refused = await backfill(mirror, "--from", "trim_horizon")
    assert (refused.code, "kmbridge replay" in refused.err) == (2, True), refused.err
    assert report_of(await backfill(mirror))["records"] == 0
    await path.write(list(generate(130, 10, seed=1))[100:])
    assert report_of(await backfill(mirror))["was_done"]
    again = report_of(await backfill(mirror, "--again"))
    assert (again["records"], again["was_done"]) == (30, False)


async def test_positions_name_the_range_of_one_partition_and_both_belong_to_it(route: RouteFactory) -> None:
    """Another partition is not touched, and a mirror begins it at its start."""
    path = await _filled(route(shards=2))
    first = path.mirror()
    stored = report_of(await backfill(first))["partitions"]
    shard = stored[0]["partition"]
    positions = sorted(record.sequence for record in await path.source.records() if record.shard == shard)
    path.folder.joinpath("other").mkdir(parents=True, exist_ok=True)
    second = path.through(folder=path.folder / "other").mirror({"name": "second"})
    finished = await backfill(second, "--from", f"{shard}/{positions[3]}", "--until", f"{shard}/{positions[9]}")
    assert finished.code == 0, finished.err
    assert [(each["partition"], each["records"]) for each in report_of(finished)["partitions"]] == [(shard, 7)]


async def test_goes_on_as_a_mirror_in_the_same_process(route: RouteFactory) -> None:
    """--then run: what comes later arrives too, until a signal drains."""
    path = await _filled(route())
    mirror = path.mirror()
    async with mirror.running("backfill", "--then", "run"):
        await mirror.until_printed("100 records, complete")
        await path.write(list(generate(130, 10, seed=1))[100:])
        await path.until_arrived(130)
        assert await mirror.stop() == 0
