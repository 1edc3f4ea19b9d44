"""An HTTP server that hands requests on to another as long as its gate is open, and else says that it is in trouble."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, web

from tests.support.serving import serving


@dataclass
class Gate:
    """``url`` stands for the other's."""

    url: str
    is_open: bool = True


@asynccontextmanager
async def gate_before(url: str) -> AsyncIterator[Gate]:
    """As long as the context is entered."""
    gate = Gate("")

    async def answer(request: web.Request) -> web.Response:
        if not gate.is_open:
            return web.Response(status=503, text="{}")
        body = await request.read()
        kind = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        async with session.request(request.method, url + request.path_qs, data=body, headers=kind) as other:
            return web.Response(status=other.status, body=await other.read(), content_type="application/json")

    async with ClientSession() as session, serving(answer) as address:
        gate.url = address
        yield gate
