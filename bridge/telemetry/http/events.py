"""/events: the feed as server-sent events, for as long as the reader reads."""

import asyncio
from contextlib import suppress

from aiohttp import hdrs, web

from bridge.telemetry.feed import READERS, CrowdedError, Feed

_STALLED_S = 10.0
"""A reader that takes nothing for so long is gone, or as good as that."""

_HEADERS = {hdrs.CONTENT_TYPE: "text/event-stream", "X-Accel-Buffering": "no"}


class Events:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/events", self._events)]

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if request.method == hdrs.METH_HEAD:
            return web.Response(headers=_HEADERS)
        try:
            with self._feed.reading() as reader:
                response = web.StreamResponse(headers=_HEADERS)
                with suppress(ConnectionError, TimeoutError):
                    await response.prepare(request)
                    async for event in reader:
                        async with asyncio.timeout(_STALLED_S):
                            await response.write(event)
                return response
        except CrowdedError:
            raise web.HTTPServiceUnavailable(
                text=f"{READERS} pages are open already: close one, or ask /status now and then\n",
                headers={hdrs.RETRY_AFTER: "30"},
            ) from None
