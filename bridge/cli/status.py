"""``kmbridge status``: what a running mirror shows on its page, in a terminal."""

import asyncio
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer
from msgspec import structs
from pydantic import SecretStr

from bridge.cli.address import address
from bridge.cli.arguments import Json, Name, Settings, configurations
from bridge.cli.failure import FAILED
from bridge.cli.output import print_json
from bridge.cli.status_display import Display, Lines, Seen, screen
from bridge.cli.status_picture import console, needs_someone, picture, print_lines
from bridge.cli.stop import stopping
from bridge.engine.nap import nap
from bridge.errors import UsageError
from bridge.telemetry.client import StatusClient
from bridge.telemetry.endpoint import Endpoint
from bridge.telemetry.listener import is_sendable
from bridge.telemetry.told import told
from connectors.base import ConnectorError, RefusedError

TOKEN_VARIABLE = "KMBRIDGE_HTTP_TOKEN"  # noqa: S105 - a variable's name
_HERE = "http://127.0.0.1:8080"
_HEIGHT = 60
"""Lines of a picture that is printed once."""

Where = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[URL | CONFIG]",
        show_default=False,
        help=f"Where the mirror answers, or its configuration, which says that and has the token; left out: {_HERE}.",
    ),
]
Watch = Annotated[bool, typer.Option("--watch", help="Go on until SIGTERM or SIGINT: a picture, or a line of JSON.")]
TokenVariable = Annotated[
    str,
    typer.Option("--token-env", metavar="VARIABLE", help="The environment variable that holds the token, with a URL."),
]


def status(
    where: Where = None,
    *,
    watch: Watch = False,
    token_variable: TokenVariable = TOKEN_VARIABLE,
    name: Name = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Show a running mirror as it is now: state, rates, lag, and every lane, those first that need someone.

    Exits 0 where all goes on by itself, 1 where a mirror has failed or a lane is failed or held, 3 where nobody
    answers or the token is refused; with --watch 0 when it is told to stop.

    Example: kmbridge status orders.yaml --watch
    """
    client = _client(where or [], name, settings, token_variable)
    on_terminal = sys.stdout.isatty() and not as_json
    seen = asyncio.run(_seen(client, name))
    if watch:
        with screen() if on_terminal else nullcontext(Lines()) as display:
            asyncio.run(_follow(client, name, display, seen))
        return
    if as_json:
        print_json(seen.document)
    elif on_terminal:
        console().print(picture(seen.told, _HEIGHT))
    else:
        print_lines(seen.told)
    if needs_someone(seen.told):
        raise typer.Exit(FAILED)


def _client(where: list[str], name: str | None, settings: list[str] | None, token_variable: str) -> StatusClient:
    if not where or where[0].startswith(("http://", "https://")):
        if len(where) > 1:
            raise UsageError("status", f"found {len(where)} arguments", "allowed: one URL, or a configuration")
        here = address("status URL", (where or [_HERE])[0])
        return StatusClient(Endpoint(here, _token_in(token_variable)))
    listener = configurations(where, name, settings).process.listener
    if listener is None or listener.from_here is None:
        raise UsageError("status", "the key http.listen names no address of the mirror", "name its URL instead")
    return StatusClient(Endpoint(listener.from_here, listener.token))


def _token_in(variable: str) -> SecretStr | None:
    token = os.environ.get(variable)
    if token and not is_sendable(token):
        # As of a file whose line has an end.
        raise UsageError(f"variable {variable}", "found a value that is not shown; no token has spaces or line ends")
    return SecretStr(token) if token else None


async def _follow(client: StatusClient, name: str | None, display: Display, seen: Seen) -> None:
    """Show one moment after another until a signal; while nobody answers, the last one and since when."""
    stopped = asyncio.Event()
    lost: datetime | None = None
    with stopping(lambda _: stopped.set()):
        while not stopped.is_set():
            await asyncio.to_thread(display.show, seen)
            await nap(display.every_s, stopped)
            try:
                seen, lost = await _seen(client, name), None
            except ConnectorError as error:
                lost = lost or datetime.now().astimezone()
                seen = replace(seen, trouble=f"no answer since {lost:%H:%M:%S}: {error.cause}")


async def _seen(client: StatusClient, name: str | None) -> Seen:
    """One moment of the mirror called ``name``, or of all. Raises as ``StatusClient.look``."""
    operation = f"ask {client.endpoint.address}/status"
    document = await client.look()
    try:
        seen = Seen(document, told(document))
    except ValueError as error:
        raise RefusedError(operation, f"what answers is no mirror: {error}", "is this its http.listen?") from None
    if name is None:
        return seen
    if not (found := [mirror for mirror in seen.told.mirrors if mirror.name == name]):
        there = ", ".join(mirror.name for mirror in seen.told.mirrors)
        raise RefusedError(operation, f"it has no mirror {name}", f"--name is one of {there}")
    if isinstance(mirrors := document.get("mirrors"), list):
        document = {**document, "mirrors": [mirror for mirror in mirrors if mirror["name"] == name]}
    return Seen(document, structs.replace(seen.told, mirrors=tuple(found)))
