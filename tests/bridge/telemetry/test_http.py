from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from bridge.engine.status import LaneState, MirrorState, MirrorStatus
from bridge.errors import UsageError
from bridge.telemetry.counters import Counts
from bridge.telemetry.http import TelemetryServer, serving
from bridge.telemetry.listener import Listener
from bridge.telemetry.observed import ObservedMirror
from tests.bridge.telemetry.statuses import STARTING, lane, status

HOST = "127.0.0.1"
LOCAL = Listener(HOST, 0)


class Told:
    """A mirror's status, to be changed by the test."""

    def __init__(self) -> None:
        self.status: MirrorStatus = STARTING

    def __call__(self) -> MirrorStatus:
        return self.status


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def client(told: Told) -> AsyncIterator[aiohttp.ClientSession]:
    orders = ObservedMirror(
        "orders",
        told,
        lambda: Counts({("PutRecords", "InternalFailure"): 2}, {"GetRecords": 5}, 0, 0),
        source="kinesis://eu-west-1/orders",
        sink="kafka://b-1:9098/orders",
        job=lambda: {"kind": "backfill", "share": 0.5},
    )
    async with (
        TelemetryServer(LOCAL, [orders], "1.2.3") as server,
        aiohttp.ClientSession(f"http://{HOST}:{server.port}") as session,
    ):
        yield session


async def test_status_is_the_documented_document(client: aiohttp.ClientSession, told: Told) -> None:
    """Every documented field is there, with the documented units, and no other."""
    told.status = status(lane("a"), lane("b", LaneState.HELD))
    async with client.get("/status") as response:
        document = await response.json()
    assert datetime.fromisoformat(document.pop("started")).tzinfo is UTC
    lane_a = {
        "partition": "a",
        "state": "running",
        "position": "49590338271490256608559692538361571095921575989136588898",
        "lag_seconds": 1.5,
        "lag_records": 7,
        "records_total": 40,
        "records_per_second": 12.3,
        "checkpoint_age_seconds": 0.25,
        "error": None,
    }
    assert document == {
        "name": "orders",
        "version": "1.2.3",
        "state": "running",
        "error": None,
        "source": "kinesis://eu-west-1/orders",
        "sink": "kafka://b-1:9098/orders",
        "restarts_total": 0,
        "records_total": 40,
        "bytes_total": 4000,
        "records_per_second": 12.3,
        "records_read_total": 44,
        "bytes_read_total": 4400,
        "lag_seconds": 1.5,
        "checkpoint_age_seconds": 0.25,
        "buffered_bytes": 400,
        "gaps_total": 2,
        "skipped": {"loop": 3},
        "dead_letters": {"too_large": 1},
        "retries": [{"operation": "PutRecords", "reason": "InternalFailure", "total": 2}],
        "throttled": {"GetRecords": 5},
        "job": {"kind": "backfill", "share": 0.5},
        "cutover": None,
        "lanes": [lane_a, {**lane_a, "partition": "b", "state": "held", "error": "key disabled"}],
    }


async def test_several_mirrors_are_a_list() -> None:
    """A process with more than one mirror tells of each."""
    mirrors = [ObservedMirror(name, status) for name in ("orders", "payments")]
    async with (
        TelemetryServer(LOCAL, mirrors, "1") as server,
        aiohttp.ClientSession(f"http://{HOST}:{server.port}") as session,
        session.get("/status") as response,
    ):
        document = await response.json()
    assert [mirror["name"] for mirror in document["mirrors"]] == ["orders", "payments"]


async def test_mirrors_that_come_and_go_are_a_list_however_few_there_are() -> None:
    """Whoever reads it finds the same shape while there is none yet, or one."""
    mirrors: list[ObservedMirror] = []
    async with (
        serving(LOCAL, mirrors, "1", is_alone=False) as address,
        aiohttp.ClientSession(address) as session,
    ):
        async with session.get("/status") as response:
            assert await response.json() == {"mirrors": []}
        mirrors.append(ObservedMirror("orders", status))
        async with session.get("/status") as response:
            assert [mirror["name"] for mirror in (await response.json())["mirrors"]] == ["orders"]


@pytest.mark.parametrize("state", list(MirrorState))
async def test_ready_means_running_and_anything_else_says_why(
    client: aiohttp.ClientSession, told: Told, state: MirrorState
) -> None:
    """Only a mirror that has reached both sides is ready; health does not depend on it."""
    told.status = status(state=state)
    async with client.get("/readyz") as ready, client.get("/healthz") as healthy:
        assert ready.status == (200 if state is MirrorState.RUNNING else 503)
        assert state is MirrorState.RUNNING or f"orders is {state.value}" in await ready.text()
        assert healthy.status == 200


async def test_a_process_that_waits_for_names_is_ready() -> None:
    """No stream matches its pattern yet: that is nothing that an orchestrator could mend."""
    mirrors: list[ObservedMirror] = []
    async with serving(LOCAL, mirrors, "1", is_alone=False) as address, aiohttp.ClientSession(address) as session:
        async with session.get("/readyz") as ready:
            assert (ready.status, await ready.text()) == (200, "ready\n")
        mirrors.append(ObservedMirror("orders", lambda: status(state=MirrorState.STARTING)))
        async with session.get("/readyz") as starting:
            assert (starting.status, await starting.text()) == (503, "orders is starting\n")


async def test_what_does_not_work_elsewhere_is_not_healthy() -> None:
    """Where a mirror works in other processes than this one, the health is theirs too."""
    troubles = ["worker 1 hangs", None]
    mirrors = [ObservedMirror("orders", status, trouble=troubles.pop)]
    async with serving(LOCAL, mirrors, "1") as address, aiohttp.ClientSession(address) as session:
        async with session.get("/healthz") as well:
            assert well.status == 200
        async with session.get("/healthz") as unwell:
            assert unwell.status == 503
            assert await unwell.text() == "orders: worker 1 hangs\n"


async def test_metrics_are_scraped_as_text(client: aiohttp.ClientSession, told: Told) -> None:
    """What Prometheus asks for is what it gets."""
    told.status = status(lane("a"))
    async with client.get("/metrics") as response:
        text = await response.text()
        assert response.content_type == "text/plain"
    assert 'kmbridge_records_written_total{mirror="orders"} 40.0' in text


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/readyz", "/status", "/events", "/nothing"])
async def test_every_answer_is_safe_to_show_and_never_kept(client: aiohttp.ClientSession, path: str) -> None:
    """No cache keeps an answer, no browser guesses its type or frames it."""
    async with client.get(path) as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["Server"] == "kmbridge"


async def test_the_address_alone_answers_with_the_page(client: aiohttp.ClientSession) -> None:
    """Who opens the address in a browser sees the mirror; the page itself holds none of its data."""
    async with client.get("/") as response:
        text = await response.text()
        assert response.status == 200
        assert response.content_type == "text/html"
        assert "'sha256-" in response.headers["Content-Security-Policy"]
    assert "orders" not in text.partition("<body>")[2].partition("<script>")[0]


async def test_head_is_answered_like_get(client: aiohttp.ClientSession) -> None:
    """Probes that ask for headers alone work."""
    async with client.head("/healthz") as response:
        assert response.status == 200


async def test_a_taken_port_is_an_error_that_names_the_key() -> None:
    """Who starts a second mirror on one machine learns what to change, and the first one goes on."""
    async with TelemetryServer(LOCAL, [], "1") as first:
        second = TelemetryServer(Listener(HOST, first.port), [], "1")
        with pytest.raises(UsageError, match=rf"{HOST}:{first.port}.*http\.listen"):
            await second.__aenter__()
        async with (
            aiohttp.ClientSession(f"http://{HOST}:{first.port}") as session,
            session.get("/healthz") as response,
        ):
            assert response.status == 200


async def test_an_unknown_host_is_an_error_that_names_the_key() -> None:
    """An address of another machine cannot be listened on."""
    with pytest.raises(UsageError, match=r"http\.listen"):
        await TelemetryServer(Listener("192.0.2.1", 0), [], "1").__aenter__()
