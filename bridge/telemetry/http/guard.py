"""Who is answered: what comes before every handler."""

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from bridge.telemetry.listener import Listener, is_loopback

OPEN_PATHS = frozenset({"/", "/healthz", "/readyz"})
"""Answered without the token: they hold no data, and an orchestrator's probe has no secrets."""

_READING = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Refuses, with a sentence that says what helps: 401 without the token, 403 what must not change anything, 421 a
    request that a foreign page sent here by a name of its own.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For ``web.Application``. Raises the ``HTTPException`` of a refusal."""
        self._check_name(request)
        if request.path not in OPEN_PATHS:
            self._check_token(request)
        if request.method not in _READING and request.match_info.http_exception is None:
            self._check_change(request)
        return await handler(request)

    def _check_name(self, request: web.Request) -> None:
        """A page elsewhere can point its own name at this machine, and would then read what only this machine may.

        It cannot bring a token, so where there is one, any name will do.
        """
        name = request.headers.get(hdrs.HOST)
        if name is None or self._listener.token is not None or not self._listener.is_local:
            return
        host = _host(name)
        if not is_loopback(host) and host != self._listener.host:
            raise web.HTTPMisdirectedRequest(
                text="this address answers to localhost alone; set http.token to reach it by other names\n"
            )

    def _check_token(self, request: web.Request) -> None:
        if self._listener.token is None:
            return
        scheme, _, presented = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        expected = self._listener.token.get_secret_value().encode()
        is_same = hmac.compare_digest(presented.strip().encode(errors="surrogateescape"), expected)
        if scheme.lower() != "bearer" or not is_same:
            raise web.HTTPUnauthorized(
                text="send the header Authorization: Bearer TOKEN with the token of http.token\n",
                headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="kmbridge"'},
            )

    def _check_change(self, request: web.Request) -> None:
        """A browser sends its user's requests from any page: a change comes from here or from no page at all."""
        if self._listener.token is None and not self._listener.is_local:
            raise web.HTTPForbidden(text="changes are refused on an open address without a token: set http.token\n")
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin != f"{request.scheme}://{request.host}":
            raise web.HTTPForbidden(text="changes are refused from pages of other places\n")


def _host(name: str) -> str:
    """Without the port; of what is no name at all, nothing."""
    try:
        return urlsplit(f"//{name}").hostname or ""
    except ValueError:
        return ""
