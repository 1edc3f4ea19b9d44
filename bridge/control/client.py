"""Sends orders to a running mirror."""

from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from bridge.control.order import Action, Answer
from bridge.control.refusal import Refusal
from bridge.control.routes import HEADER
from bridge.telemetry.endpoint import Endpoint
from connectors.base import RefusedError

_TOKEN = "http.token of the configuration has to be the one that it runs with"  # noqa: S105 - a hint
_NOBODY = (
    "kmbridge run starts it; of one that is stopped, kmbridge checkpoints set moves a lane; --url names another place"
)


@dataclass(frozen=True, slots=True)
class ControlClient:
    endpoint: Endpoint

    async def send(self, mirror: str, action: Action, partition: str, operator: str, until: str | None) -> Answer:
        """Returns once it is carried out, which takes as long as reading what is skipped.

        Raises what carrying it out raises; ``UnreachableError`` where no mirror runs there, ``RefusedError`` where it
        does not listen to us.
        """
        parts = ("mirrors", mirror, "lanes", partition, action.value)
        path = "".join(f"/{quote(part, safe='')}" for part in parts)
        asked = {"operator": operator, "until": until}
        return self._understood(*await self.endpoint.post(path, asked, {HEADER: action.value}, _NOBODY))

    def _understood(self, status: int, body: bytes) -> Answer:
        if status == 200:
            return msgspec.json.decode(body, type=Answer)
        try:
            refusal = msgspec.json.decode(body, type=Refusal)
        except msgspec.DecodeError:
            raise RefusedError(
                f"tell the running mirror at {self.endpoint.address}",
                f"HTTP {status}: {body[:200].decode(errors='replace').strip()}",
                _TOKEN if status in (401, 403) else "is this the http.listen of a mirror?",
            ) from None
        raise refusal.error()
