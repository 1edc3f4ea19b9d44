"""Orders over HTTP: ``POST /mirrors/MIRROR/lanes/PARTITION/ACTION``, the only requests that change anything.

The guard of the server has let the sender pass. What is asked for here beside that, a header of its own and JSON, no
form of a foreign page can send, nor a script without asking first, to which there is no answer.
"""

import re
from collections.abc import Callable
from json import JSONDecodeError

import msgspec
from aiohttp import web

from bridge.control.order import Action, Answer, Control, Order
from bridge.control.refusal import REFUSALS, Refusal
from bridge.engine.passing import UnknownLaneError
from bridge.errors import UsageError

HEADER = "X-Kmbridge-Order"
"""Has to be there, whatever it says."""

_OPERATOR = re.compile(r"[ -~]{1,120}")
_UNTIL = re.compile(r"[ -~]{1,300}")


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    operator: str
    until: str | None = None


class LaneRoutes:
    """To be served behind the guard of a ``TelemetryServer``. A refusal is answered as JSON, with its own status."""

    def __init__(self, control_of: Callable[[str], Control | None]) -> None:
        """``control_of`` knows who carries out orders to the mirror of a name; None: nobody does now."""
        self._control_of = control_of

    def routes(self) -> list[web.RouteDef]:
        """For ``TelemetryServer``."""
        return [web.post("/mirrors/{mirror}/lanes/{partition}/{action}", self._carry_out)]

    async def _carry_out(self, request: web.Request) -> web.Response:
        _check_sender(request)
        try:
            control = self._control_of(request.match_info["mirror"])
            if control is None:
                raise _unknown(request.match_info["mirror"])
            answer = await control.carry_out(await _order(request))
        except REFUSALS as error:
            refusal = Refusal.of(error)
            return _json(refusal, refusal.status)
        return _json(answer)


def _json(document: Answer | Refusal, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json", status=status)


def _check_sender(request: web.Request) -> None:
    if HEADER not in request.headers:
        raise web.HTTPForbidden(text=f"an order has the header {HEADER}: use kmbridge lane\n")
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="an order is JSON: use kmbridge lane\n")


def _unknown(mirror: str) -> UnknownLaneError:
    return UnknownLaneError(f"tell mirror {mirror}", "no such mirror is at work in this process", "see kmbridge status")


async def _order(request: web.Request) -> Order:
    """Raises ``UsageError``."""
    try:
        action = Action(request.match_info["action"])
        body = msgspec.json.decode(await request.read(), type=_Body)
    except (ValueError, msgspec.DecodeError, JSONDecodeError, web.RequestPayloadError) as error:
        raise UsageError("send an order", str(error), "use kmbridge lane") from None
    if not _OPERATOR.fullmatch(body.operator):
        raise UsageError("send an order", "operator has to be 1 to 120 visible characters of ASCII")
    if body.until is not None and not _UNTIL.fullmatch(body.until):
        raise UsageError("send an order", "until has to be 1 to 300 visible characters of ASCII")
    who = f"{body.operator} (unverified) from {request.remote}"
    return Order(action, request.match_info["partition"], who, body.until)
