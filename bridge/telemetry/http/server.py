"""The HTTP server of a process: one application, guarded, for as long as it is entered."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from bridge.errors import UsageError
from bridge.telemetry.feed import Feed
from bridge.telemetry.history import Histories
from bridge.telemetry.http.events import Events
from bridge.telemetry.http.guard import Guard
from bridge.telemetry.http.routes import Readings
from bridge.telemetry.listener import Listener
from bridge.telemetry.metrics import registry
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.overview import Overview
from bridge.telemetry.page.document import Page, assembled
from bridge.telemetry.parity import ParityCounts
from connectors.base import Clock

_POLICY = "Content-Security-Policy"
_HEADERS = {
    hdrs.SERVER: "kmbridge",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
_NO_CONTENT = "default-src 'none'; frame-ancestors 'none'"
_OPEN = "http.listen is open to other machines, and there is no http.token: all may read: %s"
_LARGEST_REQUEST = 64 * 1024
_PATIENCE_S = 1.0
"""For answers under way when the server is left."""

log = logging.getLogger(__name__)


class _ProtocolLog(logging.LoggerAdapter[logging.Logger]):
    """What aiohttp tells; little of what is no HTTP, or half of it: whoever reaches the port could fill the log."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger, {})

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        error = kwargs.get("exc_info")
        if isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError):
            super().log(logging.DEBUG, "not understood: %s", error)
        else:
            super().log(level, msg, *args, **kwargs)


class TelemetryServer:
    """Serves while entered, in the event loop it is entered in, so that an answer proves that the loop works.

    Entering raises ``UsageError`` where the address cannot be listened on. ``mirrors`` may change while it serves.
    """

    def __init__(
        self,
        listener: Listener,
        mirrors: Sequence[ObservedMirror],
        version: str,
        *,
        comparisons: Sequence[ParityCounts] = (),
        routes: Sequence[web.RouteDef] = (),
        is_alone: bool = True,
        clock: Clock | None = None,
    ) -> None:
        """``is_alone`` as ``Overview`` takes it. ``routes`` are served beside its own, behind the same guard.

        Its own only read. One of ``routes`` that is no GET is refused by the guard where the address is open to others
        and has no token, and where a page of another place sends it.
        """
        clock = clock or Clock()
        scraped = registry(mirrors, version)
        for counts in comparisons:
            scraped.register(counts)
        overview = Overview(mirrors, comparisons, version, clock.now_ms(), is_alone=is_alone)
        self._listener = listener
        self._histories = Histories(mirrors, clock)
        self._feed = Feed(overview, self._histories, clock)
        self._routes = [
            *Readings(mirrors, overview, scraped).routes(),
            *Events(self._feed).routes(),
            *routes,
        ]
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        page = await asyncio.to_thread(assembled)
        runner = web.AppRunner(
            self._application(page),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=_PATIENCE_S,
            logger=_ProtocolLog(log),
        )
        await runner.setup()
        host, port = self._listener.host, self._listener.port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise UsageError(
                f"listen on {host}:{port}",
                error.strerror or str(error),
                "http.listen names the address; give it another port, or set http to null",
            ) from error
        self._runner = runner
        self._tasks = [
            asyncio.create_task(self._histories.run(), name="history"),
            asyncio.create_task(self._feed.run(), name="feed"),
        ]
        if self._listener.token is None and not self._listener.is_local:
            await asyncio.to_thread(log.warning, _OPEN, host)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is None:
            return
        for task in self._tasks:
            task.cancel()
        self._feed.close()
        await self._runner.cleanup()
        self._runner = None
        await asyncio.wait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.result()

    @property
    def port(self) -> int:
        """The port that is listened on. Valid while entered."""
        if self._runner is None:
            raise RuntimeError("the server is not entered")
        port: int = self._runner.addresses[0][1]
        return port

    def sample(self) -> None:
        """Put one point more into the last hour of each mirror now, besides those that come by themselves."""
        self._histories.sample()

    def _application(self, page: Page) -> web.Application:
        async def show(_: web.Request) -> web.Response:
            return web.Response(
                body=page.html, content_type="text/html", charset="utf-8", headers={_POLICY: page.policy}
            )

        application = web.Application(middlewares=[Guard(self._listener).middleware], client_max_size=_LARGEST_REQUEST)
        application.add_routes([web.get("/", show), *self._routes])
        application.on_response_prepare.append(_add_headers)
        return application


@asynccontextmanager
async def serving(
    listener: Listener | None,
    mirrors: Sequence[ObservedMirror],
    version: str,
    *,
    comparisons: Sequence[ParityCounts] = (),
    routes: Sequence[web.RouteDef] = (),
    is_alone: bool = True,
) -> AsyncIterator[str | None]:
    """The server's own address while it serves; None where there is no ``listener``. Else as ``TelemetryServer``."""
    if listener is None:
        yield None
        return
    made = TelemetryServer(listener, mirrors, version, comparisons=comparisons, routes=routes, is_alone=is_alone)
    async with made as server:
        yield listener.address(server.port)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers.setdefault(_POLICY, _NO_CONTENT)
