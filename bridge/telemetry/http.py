"""The endpoints by which monitoring and people look into a running process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from aiohttp import hdrs, web
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bridge.engine.status import MirrorState
from bridge.errors import UsageError
from bridge.telemetry.metrics import registry
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.report import mirror_json

_HEADERS = {
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_SETTLED = {MirrorState.RUNNING, MirrorState.FAILED}
_HINT = "there is no page here yet; look at /status, /metrics, /healthz or /readyz\n"


class TelemetryServer:
    """Serves while entered, in the event loop it is entered in, so that an answer proves that the loop works.

    Entering raises ``UsageError`` where the address cannot be listened on. ``mirrors`` may grow while it serves.
    """

    def __init__(
        self,
        listen: tuple[str, int],
        mirrors: Sequence[ObservedMirror],
        version: str,
        collectors: Sequence[Collector] = (),
    ) -> None:
        """``listen`` is a host and a port; port 0 takes a free one. ``collectors`` have metrics beside the mirrors'."""
        self._listen = listen
        self._mirrors = mirrors
        self._version = version
        self._registry = registry(mirrors)
        for collector in collectors:
            self._registry.register(collector)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        runner = web.AppRunner(self._application(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        host, port = self._listen
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
        application = web.Application()
        application.add_routes(
            [
                web.get("/", _page),
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/status", self._status),
            ]
        )
        application.on_response_prepare.append(_add_headers)
        return application

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=encode(self._registry), headers={hdrs.CONTENT_TYPE: content_type})

    async def _healthz(self, _: web.Request) -> web.Response:
        troubles = [f"{mirror.name}: {trouble}" for mirror in self._mirrors if (trouble := mirror.trouble())]
        return web.Response(text=f"{'; '.join(troubles) or 'ok'}\n", status=503 if troubles else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        states = {mirror.name: mirror.status().state for mirror in self._mirrors}
        # One that has failed is tried again beside the others, which are not to be kept waiting for it.
        is_ready = MirrorState.RUNNING in states.values() and set(states.values()) <= _SETTLED
        waiting = [f"{name} is {state.value}" for name, state in states.items() if state is not MirrorState.RUNNING]
        return web.Response(text=f"{'; '.join(waiting) or 'ready'}\n", status=200 if is_ready else 503)

    async def _status(self, _: web.Request) -> web.Response:
        documents = [mirror_json(mirror.name, self._version, mirror.status()) for mirror in self._mirrors]
        return web.json_response(documents[0] if len(documents) == 1 else {"mirrors": documents})


@asynccontextmanager
async def serving(
    listen: tuple[str, int] | None,
    mirrors: Sequence[ObservedMirror],
    version: str,
    collectors: Sequence[Collector] = (),
) -> AsyncIterator[str | None]:
    """The server's own address while it serves; None where ``listen`` turns it off. Raises as ``TelemetryServer``."""
    if listen is None:
        yield None
        return
    async with TelemetryServer(listen, mirrors, version, collectors) as server:
        host = f"[{listen[0]}]" if ":" in listen[0] else listen[0]
        yield f"http://{host}:{server.port}"


async def _page(_: web.Request) -> web.Response:
    return web.Response(text=_HINT, status=404)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
