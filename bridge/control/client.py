"""Sends orders to a running mirror."""

from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
import msgspec
from aiohttp import hdrs
from pydantic import SecretStr

from bridge.control.order import Action, Answer
from bridge.control.refusal import Refusal
from bridge.control.routes import HEADER
from connectors.base import RefusedError, UnreachableError

_CONNECT_S = 10.0
_TOKEN = "http.token of the configuration has to be the one that it runs with"  # noqa: S105 - a hint


@dataclass(frozen=True, slots=True)
class ControlClient:
    """Of the process at ``address``, which asks for ``token`` or for none."""

    address: str
    token: SecretStr | None

    async def send(self, mirror: str, action: Action, partition: str, operator: str, until: str | None) -> Answer:
        """Returns once it is carried out, which takes as long as reading what is skipped.

        Raises what carrying it out raises; ``UnreachableError`` where no mirror runs there, ``RefusedError`` where it
        does not listen to us.
        """
        parts = ("mirrors", mirror, "lanes", partition, action.value)
        url = "/".join((self.address, *(quote(part, safe="") for part in parts)))
        headers = {HEADER: action.value}
        if self.token is not None:
            headers[hdrs.AUTHORIZATION] = f"Bearer {self.token.get_secret_value()}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                asked = {"operator": operator, "until": until}
                async with session.post(url, json=asked, headers=headers, allow_redirects=False) as answered:
                    return self._understood(answered.status, await answered.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(
                f"reach the running mirror at {self.address}",
                str(error) or type(error).__name__,
                "kmbridge run starts it; of one that is stopped, kmbridge checkpoints set moves a lane; --url names "
                "another place",
            ) from error

    def _understood(self, status: int, body: bytes) -> Answer:
        if status == 200:
            return msgspec.json.decode(body, type=Answer)
        try:
            refusal = msgspec.json.decode(body, type=Refusal)
        except msgspec.DecodeError:
            raise RefusedError(
                f"tell the running mirror at {self.address}",
                f"HTTP {status}: {body[:200].decode(errors='replace').strip()}",
                _TOKEN if status in (401, 403) else "is this the http.listen of a mirror?",
            ) from None
        raise refusal.error()
