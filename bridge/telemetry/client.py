"""Asks a running process for its status."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from bridge.telemetry.endpoint import Endpoint
from connectors.base import RefusedError

_PATIENCE_S = 10.0
_WAY = "name its configuration, or the variable that holds the token with --token-env"


@dataclass(frozen=True, slots=True)
class StatusClient:
    endpoint: Endpoint

    async def look(self) -> Mapping[str, object]:
        """The document at /status.

        Raises ``UnreachableError`` where nobody answers within seconds, and ``RefusedError`` where somebody does and
        tells nothing.
        """
        operation = f"ask {self.endpoint.address}/status"
        status, body = await self.endpoint.get(
            "/status", _PATIENCE_S, "is the mirror running, and is this its http.listen?"
        )
        if status == 401:
            raise RefusedError(operation, "it asks for its token, http.token, and this is not it", _WAY)
        if status != 200:
            text = body.decode(errors="replace").strip()
            raise RefusedError(operation, f"HTTP {status} {text[:200]}".strip(), "is it a mirror's http.listen?")
        try:
            return msgspec.json.decode(body, type=dict[str, object])
        except msgspec.DecodeError:
            raise RefusedError(operation, "what answers is no mirror", "is this its http.listen?") from None
