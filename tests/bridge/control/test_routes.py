"""Orders over HTTP: from whom they are taken, and that they arrive as they were given."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest
from pydantic import SecretStr

from bridge.control.client import ControlClient
from bridge.control.order import Action, Answer, Order, Skipped
from bridge.control.routes import HEADER, LaneRoutes
from bridge.engine.passing import OrderError, UnknownLaneError
from bridge.errors import UsageError
from bridge.telemetry.endpoint import Endpoint
from bridge.telemetry.http import serving
from bridge.telemetry.listener import Listener
from connectors.base import RefusedError, UnreachableError
from tests.support.waiting import eventually

TOKEN = SecretStr("correct-horse-battery-staple")
LOCAL = Listener("127.0.0.1", 0)
OPEN = Listener("0.0.0.0", 0)
LOCKED = Listener("0.0.0.0", 0, TOKEN)
LANE = "shardId-000000000000"
PATH = f"/mirrors/orders/lanes/{LANE}/pause"
SKIPPED = Answer("running", "1", "7#3", is_kept=True, skipped=Skipped("2", "7#3", 5, None, "skipped by ops"))


class Recorder:
    """A control that notes its orders, and answers or refuses."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.refusal: OrderError | UsageError | None = None

    async def carry_out(self, order: Order) -> Answer:
        self.orders.append(order)
        if self.refusal is not None:
            raise self.refusal
        return SKIPPED


@asynccontextmanager
async def served(listener: Listener) -> AsyncIterator[tuple[Recorder, str]]:
    recorder = Recorder()
    routes = LaneRoutes({"orders": recorder}.get).routes()
    async with serving(listener, [], "1", routes=routes) as address:
        yield recorder, str(address).replace("0.0.0.0", "127.0.0.1")


async def _sent(address: str, token: SecretStr | None, action: Action = Action.PAUSE) -> Answer:
    return await ControlClient(Endpoint(address, token)).send("orders", action, LANE, "ops@desk", "now")


@pytest.mark.parametrize(("listener", "token"), [(LOCAL, None), (LOCKED, TOKEN)])
async def test_an_order_arrives_as_it_was_given_and_its_answer_too(listener: Listener, token: SecretStr | None) -> None:
    """With who gave it, which nobody has proved, and from where."""
    async with served(listener) as (recorder, address):
        assert await _sent(address, token, Action.SKIP) == SKIPPED
        assert recorder.orders == [Order(Action.SKIP, LANE, "ops@desk (unverified) from 127.0.0.1", "now")]


@pytest.mark.parametrize(("listener", "token"), [(OPEN, None), (LOCKED, None), (LOCKED, SecretStr("wrong"))])
async def test_an_open_address_takes_no_order_without_the_token(listener: Listener, token: SecretStr | None) -> None:
    """The refusal names the key, and nothing is done."""
    async with served(listener) as (recorder, address):
        with pytest.raises(RefusedError, match=r"http\.token"):
            await _sent(address, token)
        assert recorder.orders == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 403),
        ({HEADER: "pause", "Content-Type": "text/plain"}, 415),
        ({HEADER: "pause", "Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({HEADER: "pause", "Content-Type": "application/json", "Origin": "https://evil.example"}, 403),
        ({HEADER: "pause", "Content-Type": "application/json", "Host": "evil.example"}, 421),
    ],
)
async def test_what_a_foreign_page_can_send_is_no_order(headers: dict[str, str], status: int) -> None:
    """Neither a form, nor a script that does not ask first, nor a name that was made to point here."""
    async with served(LOCAL) as (recorder, address), aiohttp.ClientSession() as session:
        async with session.post(address + PATH, data='{"operator": "me"}', headers=headers) as answered:
            assert answered.status == status
        async with session.options(address + PATH, headers={"Origin": "https://evil.example"}) as asked:
            assert "Access-Control-Allow-Origin" not in asked.headers
        assert recorder.orders == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"operator": ""}',
        '{"operator": "a\\nb"}',
        '{"operator": "a", "force": true}',
        f'{{"operator": "a", "until": "{"1" * 5_000}"}}',
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_an_order_that_makes_no_sense_is_refused(body: str, encoding: str) -> None:
    """Nothing is guessed, also where the body is not what its header says, and no line of the log can be forged."""
    headers = {HEADER: "pause", "Content-Type": "application/json", "Content-Encoding": encoding}
    async with served(LOCAL) as (recorder, address), aiohttp.ClientSession() as session:
        async with session.post(address + PATH, data=body, headers=headers) as answered:
            assert answered.status == 400
        assert recorder.orders == []


@pytest.mark.parametrize(
    "refusal", [OrderError("pause it", "no", "why"), UnknownLaneError("pause it", "no", "why"), UsageError("a", "b")]
)
async def test_a_refusal_arrives_as_what_it_is(refusal: OrderError | UsageError) -> None:
    """So that the exit code says the same as in the process."""
    async with served(LOCAL) as (recorder, address):
        recorder.refusal = refusal
        with pytest.raises(type(refusal)) as raised:
            await _sent(address, None)
        assert raised.value.args == refusal.args


async def test_another_mirror_and_nobody_at_all_are_told_apart() -> None:
    """One is not in this process; the other is not running, and the hint says what helps then."""
    async with served(LOCAL) as (_, address):
        with pytest.raises(UnknownLaneError, match="no such mirror"):
            await ControlClient(Endpoint(address, None)).send("others", Action.PAUSE, LANE, "ops", None)
    with pytest.raises(UnreachableError, match="kmbridge checkpoints set"):
        await _sent(address, None)


async def test_who_goes_away_in_the_middle_of_an_order_gives_none(caplog: pytest.LogCaptureFixture) -> None:
    """And leaves no traceback: whoever reaches the port could fill the log with them."""
    async with served(LOCAL) as (recorder, address):
        before = asyncio.all_tasks()
        _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(address).port)
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n{HEADER}: 1\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: 99\r\n\r\n{{".encode())
        await eventually(lambda: not asyncio.all_tasks() <= before, "the order is being read")
        writer.close()
        await eventually(lambda: asyncio.all_tasks() <= before, "it is not waited for")
        assert not [record for record in caplog.records if record.levelno > logging.DEBUG]
        assert not recorder.orders
