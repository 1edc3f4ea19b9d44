"""The HTTP endpoint of a running process, for who is another one."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import hdrs
from pydantic import SecretStr

from connectors.base import UnreachableError

_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """At ``address``, a URL without a slash at its end; it asks for ``token``, or for none."""

    address: str
    token: SecretStr | None

    async def get(self, path: str, within_s: float, hint: str) -> tuple[int, bytes]:
        """Status and body of what is at ``path``.

        Raises ``UnreachableError`` with ``hint`` without an answer in that time.
        """
        return await self._call(hdrs.METH_GET, path, aiohttp.ClientTimeout(within_s), hint)

    async def post(
        self, path: str, document: Mapping[str, object], headers: Mapping[str, str], hint: str
    ) -> tuple[int, bytes]:
        """The answer to ``document`` as JSON, however long it takes.

        Raises ``UnreachableError`` with ``hint`` where there is nobody, or who was there has gone.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
        return await self._call(hdrs.METH_POST, path, timeout, hint, headers, document)

    async def _call(
        self,
        method: str,
        path: str,
        timeout: aiohttp.ClientTimeout,
        hint: str,
        headers: Mapping[str, str] | None = None,
        document: Mapping[str, object] | None = None,
    ) -> tuple[int, bytes]:
        sent = dict(headers or {})
        if self.token is not None:
            sent[hdrs.AUTHORIZATION] = f"Bearer {self.token.get_secret_value()}"
        try:
            # A token is for this address: nobody is followed to another.
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    method, f"{self.address}{path}", json=document, headers=sent, allow_redirects=False
                ) as answer,
            ):
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(f"reach the running mirror at {self.address}", _cause(error), hint) from error


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or "no answer in time"
