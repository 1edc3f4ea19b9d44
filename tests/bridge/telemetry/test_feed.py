import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bridge.telemetry.feed import READERS, CrowdedError, Feed, Reader
from bridge.telemetry.history import Histories
from bridge.telemetry.http import TelemetryServer
from bridge.telemetry.http.events import Events
from bridge.telemetry.listener import Listener
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.overview import Overview
from connectors.base import Clock
from tests.bridge.telemetry.page.busy_mirror import BusyMirror, SteppedClock
from tests.support.waiting import eventually, until


class Seconds(SteppedClock):
    """Each sleep lasts until the test lets a second pass."""

    def __init__(self) -> None:
        super().__init__()
        self._passed = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        await self._passed.acquire()

    def tick(self) -> None:
        self.ms += 1000
        self._passed.release()


@dataclass
class Scene:
    mirrors: list[ObservedMirror]
    busy: BusyMirror
    histories: Histories
    feed: Feed
    clock: Seconds


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    busy, clock = BusyMirror(3), Seconds()
    mirrors = [busy.observed]
    histories = Histories(mirrors, clock)
    feed = Feed(Overview(mirrors, [], "1", clock.now_ms()), histories, clock)
    running = asyncio.create_task(feed.run())
    yield Scene(mirrors, busy, histories, feed, clock)
    running.cancel()


async def told(reader: Reader) -> tuple[str, Any]:
    """The next event of a reader: its name and its data."""
    async with asyncio.timeout(10):
        return parsed(await anext(aiter(reader)))


def parsed(event: bytes) -> tuple[str, Any]:
    name, data, *rest = event.decode().split("\n")
    assert rest == ["", ""]
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def test_a_reader_is_told_everything_first_and_then_what_is_new(scene: Scene) -> None:
    """The hour too, from whenever it begins to read."""
    for _ in range(2):
        scene.clock.ms += 5000
        scene.histories.sample()
    with scene.feed.reading() as reader:
        kind, snapshot = await told(reader)
        assert kind == "snapshot"
        assert len(snapshot["mirrors"][0]["lanes"]) == 3
        assert len(snapshot["mirrors"][0]["history"]) == 1
        scene.busy.hold(1, "denied")
        scene.clock.tick()
        kind, change = await told(reader)
        assert kind == "change"
        assert change["mirrors"] == [
            {
                "name": "orders",
                "changes": {
                    "lanes": [{"partition": scene.busy.lanes[1].partition, "state": "held", "error": "denied"}]
                },
                "history": [],
            }
        ]


async def test_a_second_in_which_nothing_moves_is_still_a_sign_of_life(scene: Scene) -> None:
    """A reader can tell a quiet mirror from one that is gone."""
    with scene.feed.reading() as reader:
        await told(reader)
        scene.clock.tick()
        assert await told(reader) == ("change", {"time_ms": scene.clock.now_ms(), "mirrors": []})


async def test_a_point_of_the_hour_is_told_once(scene: Scene) -> None:
    """To one who was there and to one who came between two seconds."""
    scene.histories.sample()
    with scene.feed.reading() as early:
        await told(early)
        scene.clock.ms += 5000
        scene.histories.sample()
        with scene.feed.reading() as late:
            assert (await told(late))[1]["mirrors"][0]["history"] == []
            scene.clock.tick()
            for reader in (early, late):
                assert len((await told(reader))[1]["mirrors"][0]["history"]) == 1
            scene.clock.tick()
            assert [(await told(reader))[1]["mirrors"] for reader in (early, late)] == [[], []]


async def test_a_mirror_that_comes_or_goes_is_told_with_all_that_there_is(scene: Scene) -> None:
    """A reader never has to guess which mirrors there are."""
    with scene.feed.reading() as reader:
        await told(reader)
        scene.mirrors.append(BusyMirror(1, "payments").observed)
        scene.clock.tick()
        kind, snapshot = await told(reader)
        assert (kind, [mirror["name"] for mirror in snapshot["mirrors"]]) == ("snapshot", ["orders", "payments"])


async def test_one_that_reads_too_slowly_is_let_go_and_holds_up_nobody(scene: Scene) -> None:
    """What is kept for a reader is bounded."""
    with scene.feed.reading() as slow, scene.feed.reading() as quick:
        await told(quick)
        for _ in range(20):
            scene.clock.tick()
            assert (await told(quick))[0] == "change"
        assert [event async for event in slow] == []


async def test_there_is_room_for_so_many_and_no_more(scene: Scene) -> None:
    """Who leaves makes room."""
    readers = [scene.feed.reading() for _ in range(READERS)]
    for each in readers:
        each.__enter__()
    with pytest.raises(CrowdedError), scene.feed.reading():
        pass
    readers[0].__exit__(None, None, None)
    with scene.feed.reading() as reader:
        assert (await told(reader))[0] == "snapshot"


async def test_nobody_looks_while_nobody_reads(scene: Scene) -> None:
    """A page that was closed costs nothing."""
    looks = 0

    def counted() -> Any:
        nonlocal looks
        looks += 1
        return scene.busy.status()

    scene.mirrors[0] = replace(scene.mirrors[0], status=counted)
    with scene.feed.reading() as reader:
        await told(reader)
    before = looks
    for _ in range(3):
        scene.clock.tick()
        await asyncio.sleep(0)
    assert looks == before


@pytest.fixture
async def server() -> AsyncIterator[TelemetryServer]:
    async with TelemetryServer(Listener("127.0.0.1", 0), [BusyMirror(3).observed], "1") as serving:
        yield serving


async def test_events_are_sent_as_browsers_and_proxies_expect_them(server: TelemetryServer) -> None:
    """As a stream that nobody keeps, and that ends when its reader goes."""
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session,
        session.get("/events") as response,
        session.head("/events") as head,
    ):
        assert head.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        event = (await response.content.readuntil(b"\n\n")).decode()
        assert event.startswith("event: snapshot\ndata: {")


async def test_one_page_too_many_is_told_so(server: TelemetryServer) -> None:
    """And that it may come again."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        pages = [await session.get("/events") for _ in range(READERS)]
        async with session.get("/events") as response:
            assert response.status == 503
            assert int(response.headers["Retry-After"]) > 0
        pages[0].close()

        async def has_room() -> bool:
            async with session.get("/events") as response:
                return response.status == 200

        await until(has_room, "a page is let in")
        for page in pages:
            page.close()


async def test_open_pages_do_not_hold_up_the_end() -> None:
    """Their streams end when the server is left, before its patience does."""
    server = TelemetryServer(Listener("127.0.0.1", 0), [BusyMirror(3).observed], "1")
    async with server, aiohttp.ClientSession() as session:
        response = await session.get(f"http://127.0.0.1:{server.port}/events")
        await response.content.readuntil(b"\n\n")
        async with asyncio.timeout(20):
            leaving = asyncio.create_task(server.__aexit__(None, None, None))
            await response.content.read()
            await leaving
        assert response.content.at_eof()


async def test_a_page_that_takes_nothing_is_let_go_of() -> None:
    """Its connection too: whoever opens and never reads cannot gather them without end."""
    clock = Clock()
    mirrors = [BusyMirror(20_000).observed]
    feed = Feed(Overview(mirrors, [], "1", clock.now_ms()), Histories(mirrors, clock), clock)
    application = web.Application()
    application.add_routes(Events(feed, stalled_s=0.05).routes())
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = runner.server
    assert server is not None
    reader, writer = await asyncio.open_connection(*runner.addresses[0][:2], limit=1)
    writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readexactly(1)

    try:
        await eventually(lambda: not server.connections, "its connection is closed")
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        await runner.cleanup()
