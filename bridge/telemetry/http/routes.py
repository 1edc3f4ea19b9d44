"""What can be asked for: health, readiness, metrics and status."""

from collections.abc import Sequence

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from bridge.engine.status import MirrorState
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.overview import Overview

_SETTLED = {MirrorState.RUNNING, MirrorState.FAILED}


class Readings:
    """Answers from what the mirrors tell at the moment of the request."""

    def __init__(self, mirrors: Sequence[ObservedMirror], overview: Overview, registry: CollectorRegistry) -> None:
        self._mirrors = mirrors
        self._overview = overview
        self._registry = registry

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/metrics", self._metrics),
            web.get("/healthz", self._healthz),
            web.get("/readyz", self._readyz),
            web.get("/status", self._status),
        ]

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=encode(self._registry), headers={hdrs.CONTENT_TYPE: content_type})

    async def _healthz(self, _: web.Request) -> web.Response:
        troubles = [f"{mirror.name}: {trouble}" for mirror in self._mirrors if (trouble := mirror.trouble())]
        return web.Response(text=f"{'; '.join(troubles) or 'ok'}\n", status=503 if troubles else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        states = {mirror.name: mirror.status().state for mirror in self._mirrors}
        # One that has failed is tried again beside the others, which are not to be kept waiting for it.
        # Without any, names that match a pattern are waited for.
        is_ready = not states or (MirrorState.RUNNING in states.values() and set(states.values()) <= _SETTLED)
        waiting = [f"{name} is {state.value}" for name, state in states.items() if state is not MirrorState.RUNNING]
        return web.Response(text=f"{'; '.join(waiting) or 'ready'}\n", status=200 if is_ready else 503)

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response(self._overview.status())
