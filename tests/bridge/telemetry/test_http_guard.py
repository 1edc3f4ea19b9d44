import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bridge.telemetry.http import serving
from bridge.telemetry.listener import Listener, is_loopback
from bridge.telemetry.observed import ObservedMirror
from tests.bridge.telemetry.statuses import status

TOKEN = "correct-horse-battery-staple"
LOCAL = Listener("127.0.0.1", 0)
LOCKED = Listener("127.0.0.1", 0, SecretStr(TOKEN))
OPEN = Listener("0.0.0.0", 0)
GUARDED = ["/status", "/metrics", "/events", "/nothing", "/change"]


async def _change(_: web.Request) -> web.Response:
    return web.Response(text="changed\n")


@asynccontextmanager
async def asking(listener: Listener) -> AsyncIterator[aiohttp.ClientSession]:
    """A server with a route that changes something, and who asks it from this machine."""
    mirrors = [ObservedMirror("orders", status)]
    async with (
        serving(listener, mirrors, "1", routes=[web.post("/change", _change)]) as address,
        aiohttp.ClientSession(str(address).replace("0.0.0.0", "127.0.0.1")) as session,
    ):
        yield session


async def answered(
    session: aiohttp.ClientSession, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> int:
    async with session.request(method, path, headers=headers) as response:
        return response.status


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("given", [None, "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xff"])
async def test_without_the_token_nothing_is_told(path: str, given: str | None) -> None:
    """Neither what there is nor whether a path exists."""
    async with asking(LOCKED) as session:
        headers = {} if given is None else {"Authorization": given}
        async with session.get(path, headers=headers) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert "orders" not in await response.text()


async def test_with_the_token_all_is_told() -> None:
    """As curl and Prometheus send it, whatever the case of the scheme's name."""
    async with asking(LOCKED) as session:
        for scheme in ("Bearer", "bearer"):
            headers = {"Authorization": f"{scheme} {TOKEN}"}
            assert [await answered(session, path, headers) for path in ("/status", "/metrics")] == [200, 200]


async def test_probes_need_no_token() -> None:
    """An orchestrator asks for health and readiness without secrets."""
    async with asking(LOCKED) as session:
        assert [await answered(session, path) for path in ("/healthz", "/readyz")] == [200, 200]


@pytest.mark.parametrize("listener", [LOCKED, Listener("127.0.0.1", 0, SecretStr("ü" * 8))])
def test_the_token_is_in_no_representation(listener: Listener) -> None:
    """What is logged of a listener holds no secret."""
    assert listener.token is not None
    assert listener.token.get_secret_value() not in f"{listener!r} {listener}"


@pytest.mark.parametrize("name", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "192.0.2.7", "[", ""])
async def test_a_foreign_name_for_this_machine_is_refused(name: str) -> None:
    """A page whose name was made to point here cannot read what only this machine may."""
    async with asking(LOCAL) as session:
        assert await answered(session, "/status", {"Host": name}) == 421


@pytest.mark.parametrize("name", ["localhost", "localhost:8080", "127.0.0.1", "127.8.8.8:1", "[::1]:8080", "LOCALHOST"])
async def test_every_name_of_this_machine_is_answered(name: str) -> None:
    """Whatever a person types, and whatever port a tunnel has at their end."""
    async with asking(LOCAL) as session:
        assert await answered(session, "/status", {"Host": name}) == 200


@pytest.mark.parametrize("listener", [LOCKED, OPEN])
async def test_other_names_are_answered_where_a_foreign_page_gains_nothing(listener: Listener) -> None:
    """It has no token to send, and an open address tells everyone anyway; a proxy sends the name it is known by."""
    async with asking(listener) as session:
        headers = {"Host": "mirror.example", "Authorization": f"Bearer {TOKEN}"}
        assert await answered(session, "/status", headers) == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_reading_is_all_that_its_own_paths_do(method: str) -> None:
    """Any other method is refused, with those that are not."""
    async with asking(LOCAL) as session:
        for path in ("/", "/metrics", "/healthz", "/readyz", "/status"):
            async with session.request(method, path) as response:
                assert response.status == 405
                assert set(response.headers["Allow"].split(",")) == {"GET", "HEAD"}
                assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_change_is_made_from_this_machine_or_with_the_token() -> None:
    """An open address without a token lets everyone read, and nobody change anything."""
    authorized = {"Authorization": f"Bearer {TOKEN}"}
    async with asking(LOCAL) as session:
        assert await answered(session, "/change", method="POST") == 200
    async with asking(LOCKED) as session:
        assert await answered(session, "/change", authorized, "POST") == 200
    async with asking(OPEN) as session:
        assert await answered(session, "/change", method="POST") == 403


async def test_a_foreign_page_changes_nothing() -> None:
    """A browser on this machine would send the request of any page that it shows."""
    async with asking(LOCAL) as session:
        own = f"http://127.0.0.1:{session._base_url.port if session._base_url else 0}"
        assert await answered(session, "/change", {"Origin": "https://evil.example"}, "POST") == 403
        assert await answered(session, "/change", {"Origin": "null"}, "POST") == 403
        assert await answered(session, "/change", {"Origin": own}, "POST") == 200


@pytest.mark.parametrize(("listener", "warnings"), [(OPEN, 1), (LOCAL, 0), (LOCKED, 0)])
async def test_an_open_address_without_a_token_is_warned_of_once(
    caplog: pytest.LogCaptureFixture, listener: Listener, warnings: int
) -> None:
    """It is allowed, for networks that are closed otherwise."""
    async with asking(listener) as session:
        await answered(session, "/status")
    assert len([record for record in caplog.records if "http.token" in record.getMessage()]) == warnings


def test_only_names_that_nobody_can_redefine_are_this_machine() -> None:
    """What a name server answers does not count."""
    assert all(map(is_loopback, ("127.0.0.1", "127.255.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "localhost.example", "example.localhost.", "")))


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01 no HTTP\r\n\r\n", b"GET /status HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n"],
)
async def test_what_is_no_request_does_not_fill_the_log(caplog: pytest.LogCaptureFixture, sent: bytes) -> None:
    """Whoever reaches the port may send anything, as often as he likes."""
    async with asking(LOCKED) as session:
        port = session._base_url.port if session._base_url else 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent % (b"x" * 20_000) if b"%b" in sent else sent)
        assert (await reader.readline()).split()[1] == b"400"
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG or record.exc_info]
