"""/events: the feed as server-sent events, for as long as the reader reads."""

import asyncio

from aiohttp import hdrs, web

from bridge.telemetry.feed import READERS, CrowdedError, Feed, Reader

_STALLED_S = 10.0
"""A reader that takes nothing for so long is gone, or as good as that."""

_HEADERS = {hdrs.CONTENT_TYPE: "text/event-stream", "X-Accel-Buffering": "no"}


class Events:
    def __init__(self, feed: Feed, stalled_s: float = _STALLED_S) -> None:
        self._feed = feed
        self._stalled_s = stalled_s

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/events", self._events)]

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if request.method == hdrs.METH_HEAD:
            return web.Response(headers=_HEADERS)
        try:
            with self._feed.reading() as reader:
                return await self._told(request, reader)
        except CrowdedError:
            raise web.HTTPServiceUnavailable(
                text=f"{READERS} pages are open already: close one, or ask /status now and then\n",
                headers={hdrs.RETRY_AFTER: "30"},
            ) from None

    async def _told(self, request: web.Request, reader: Reader) -> web.StreamResponse:
        response = web.StreamResponse(headers=_HEADERS)
        try:
            await response.prepare(request)
            async for event in reader:
                async with asyncio.timeout(self._stalled_s):
                    await response.write(event)
        except ConnectionError:
            pass
        except TimeoutError:
            # The end of the answer, too, would wait for it to be taken, and keep the connection for as long.
            if request.transport is not None:
                request.transport.abort()
        return response
