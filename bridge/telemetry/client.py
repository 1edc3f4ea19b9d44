"""Asks a running process for its status."""

import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import hdrs
from pydantic import SecretStr

from connectors.base import RefusedError, UnreachableError

_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class StatusClient:
    """Of the process at ``address``, a URL, which asks for ``token`` or for none."""

    address: str
    token: SecretStr | None

    async def look(self) -> Any:
        """The document at /status.

        Raises ``UnreachableError`` where nobody answers within seconds, and ``RefusedError`` where somebody does and
        tells nothing.
        """
        headers = {}
        if self.token is not None:
            headers[hdrs.AUTHORIZATION] = f"Bearer {self.token.get_secret_value()}"
        operation = f"ask {self.address}/status"
        timeout = aiohttp.ClientTimeout(_PATIENCE_S)
        try:
            # A token is for this address: nobody is followed to another.
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(f"{self.address}/status", allow_redirects=False) as answer,
            ):
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(
                operation,
                str(error) or f"no answer within {_PATIENCE_S:.0f} s",
                "is the mirror running, and is this its http.listen?",
            ) from None
        if status == 401:
            raise RefusedError(operation, "it asks for its token, http.token, and this is not it", self._way())
        if status != 200:
            text = body.decode(errors="replace").strip()
            raise RefusedError(operation, f"HTTP {status} {text[:200]}".strip(), "is it a mirror's http.listen?")
        try:
            return json.loads(body)
        except ValueError:
            raise RefusedError(operation, "what answers is no mirror", "is this its http.listen?") from None

    def _way(self) -> str:
        return "name its configuration, or the variable that holds the token with --token-env"
