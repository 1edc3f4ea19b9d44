"""The HTTP server of a process: one application, guarded, for as long as it is entered."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from aiohttp import hdrs, web
from prometheus_client.registry import Collector

from bridge.errors import UsageError
from bridge.telemetry.http.guard import Guard
from bridge.telemetry.http.routes import Readings
from bridge.telemetry.listener import Listener
from bridge.telemetry.metrics import registry
from bridge.telemetry.observed import ObservedMirror

_HEADERS = {
    hdrs.SERVER: "kmbridge",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_HINT = "there is no page here yet; look at /status, /metrics, /healthz or /readyz\n"
_OPEN = "http.listen is open to other machines, and there is no http.token: all may read: %s"
_LARGEST_REQUEST = 64 * 1024
_PATIENCE_S = 1.0
"""For answers under way when the server is left."""

log = logging.getLogger(__name__)


class TelemetryServer:
    """Serves while entered, in the event loop it is entered in, so that an answer proves that the loop works.

    Entering raises ``UsageError`` where the address cannot be listened on. ``mirrors`` may grow while it serves.
    """

    def __init__(
        self,
        listener: Listener,
        mirrors: Sequence[ObservedMirror],
        version: str,
        collectors: Sequence[Collector] = (),
        routes: Sequence[web.RouteDef] = (),
    ) -> None:
        """``collectors`` have metrics beside the mirrors'. ``routes`` are served beside its own, behind the same guard.

        Its own only read. One of ``routes`` that is no GET is refused by the guard where the address is open to others
        and has no token, and where a page of another place sends it.
        """
        self._listener = listener
        self._registry = registry(mirrors)
        for collector in collectors:
            self._registry.register(collector)
        self._readings = Readings(mirrors, self._registry, version)
        self._routes = routes
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        runner = web.AppRunner(self._application(), access_log=None, handle_signals=False, shutdown_timeout=_PATIENCE_S)
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
        if self._listener.token is None and not self._listener.is_local:
            await asyncio.to_thread(log.warning, _OPEN, host)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def port(self) -> int:
        """The port that is listened on. Valid while entered."""
        if self._runner is None:
            raise RuntimeError("the server is not entered")
        port: int = self._runner.addresses[0][1]
        return port

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[Guard(self._listener).middleware], client_max_size=_LARGEST_REQUEST)
        application.add_routes([web.get("/", _page), *self._readings.routes(), *self._routes])
        application.on_response_prepare.append(_add_headers)
        return application


@asynccontextmanager
async def serving(
    listener: Listener | None,
    mirrors: Sequence[ObservedMirror],
    version: str,
    collectors: Sequence[Collector] = (),
    routes: Sequence[web.RouteDef] = (),
) -> AsyncIterator[str | None]:
    """The server's own address while it serves; None where there is no ``listener``. Raises as ``TelemetryServer``."""
    if listener is None:
        yield None
        return
    async with TelemetryServer(listener, mirrors, version, collectors, routes) as server:
        yield listener.address(server.port)


async def _page(_: web.Request) -> web.Response:
    return web.Response(text=_HINT, status=404)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
