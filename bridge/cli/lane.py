"""``kmbridge lane``: one lane of a running mirror, told what to do."""

import asyncio
import getpass
import socket
from typing import Annotated

import typer

from bridge.cli.address import address
from bridge.cli.arguments import Json, Name, Settings, configuration, split_targets
from bridge.cli.output import print_json
from bridge.config import Configuration
from bridge.control.client import ControlClient
from bridge.control.order import Action, Answer
from bridge.engine.passing import UnknownLaneError
from bridge.errors import UsageError
from bridge.telemetry.endpoint import Endpoint
from bridge.telemetry.listener import Listener
from checkpoints.base import CheckpointError
from connectors.base import Clock, ConnectorError
from connectors.counted import counted

lane = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Arguments = Annotated[
    list[str],
    typer.Argument(metavar="CONFIG PARTITION", help="In this order; CONFIG is a file or two URLs.", show_default=False),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        show_default=False,
        help="Where the mirror answers, as http://10.0.0.7:8080; left out: http.listen on this machine.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="P",
        show_default=False,
        help="Skip everything up to there, and that too: now, an ISO-8601 time, or a position of the partition.",
    ),
]


@lane.callback()
def _group() -> None:
    """Tell one lane of a running mirror what to do, through its HTTP endpoint.

    PARTITION is a shard's id or a topic's partition number. Exit codes: 1 the lane cannot do that as things are, 3 no
    mirror is running there, or it refuses us (http.token).
    """


@lane.command(epilog="Example: kmbridge lane pause orders.yaml shardId-000000000003")
def pause(
    arguments: Arguments, name: Name = None, settings: Settings = None, url: Url = None, as_json: Json = False
) -> None:
    """Stop reading, settle what is on its way, and keep slot and checkpoint.

    The lane stays paused until it is resumed, also when the mirror restarts or another worker takes it over.
    """
    _tell(Action.PAUSE, arguments, name, settings, url, as_json=as_json)


@lane.command(epilog="Example: kmbridge lane resume orders.yaml shardId-000000000003")
def resume(
    arguments: Arguments, name: Name = None, settings: Settings = None, url: Url = None, as_json: Json = False
) -> None:
    """Let a paused lane go on strictly after its position."""
    _tell(Action.RESUME, arguments, name, settings, url, as_json=as_json)


@lane.command(epilog="Example: kmbridge lane retry orders.yaml shardId-000000000003")
def retry(
    arguments: Arguments, name: Name = None, settings: Settings = None, url: Url = None, as_json: Json = False
) -> None:
    """Let a lane that failed, or waits for its next attempt, try again at once from its position."""
    _tell(Action.RETRY, arguments, name, settings, url, as_json=as_json)


@lane.command(epilog="Example: kmbridge lane skip orders.yaml shardId-000000000003 --until 2026-01-31T12:00:00Z")
def skip(
    arguments: Arguments,
    name: Name = None,
    settings: Settings = None,
    url: Url = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Pass the gap or the record that a lane has stopped at, or everything up to --until, and say what was passed.

    What is skipped does not reach the sink. It is logged, counted and kept in the checkpoint as a gap. A lane never
    moves backward: kmbridge replay sends a range again.
    """
    _tell(Action.SKIP, arguments, name, settings, url, until=until, as_json=as_json)


def _tell(
    action: Action,
    arguments: list[str],
    name: str | None,
    settings: list[str] | None,
    url: str | None,
    *,
    until: str | None = None,
    as_json: bool,
) -> None:
    targets, rest = split_targets(arguments)
    if len(rest) != 1:
        raise UsageError(f"lane {action.value}", f"found {len(rest)} arguments behind the configuration, not one")
    asked = configuration(targets, name, settings)
    answer = asyncio.run(_send(asked, action, rest[0], until, url))
    if as_json:
        print_json(_document(asked, action, rest[0], answer))
    else:
        _print(action, rest[0], answer)


async def _send(asked: Configuration, action: Action, partition: str, until: str | None, url: str | None) -> Answer:
    listener = asked.listener
    client = ControlClient(Endpoint(_address(action, listener, url), None if listener is None else listener.token))
    try:
        return await client.send(asked.name, action, partition, f"{getpass.getuser()}@{socket.gethostname()}", until)
    except UnknownLaneError as error:
        raise UnknownLaneError(error.operation, error.cause, await _whereabouts(asked, partition)) from None


def _address(action: Action, listener: Listener | None, url: str | None) -> str:
    if url is not None:
        return address("--url", url)
    if listener is None or listener.from_here is None:
        raise UsageError(
            f"lane {action.value}", "the key http.listen names no address of the mirror", "--url says where it answers"
        )
    return listener.from_here


async def _whereabouts(asked: Configuration, partition: str) -> str:
    """For a person: who has the lane, as far as that can be learned."""
    # What reaches checkpoints is large, and an order that is carried out does without it.
    from bridge.keeping.owners import holders  # noqa: PLC0415

    try:
        owner = (await holders(asked, [partition], Clock())).get(partition)
    except (CheckpointError, ConnectorError, ValueError):
        owner = None
    if owner is None:
        return "kmbridge status shows the lanes there; kmbridge checkpoints list shows who owns each partition"
    return (
        f"kmbridge status shows the lanes there; where the source has that partition it is with worker {owner}: if "
        "another process answered, --url names the address of that one"
    )


def _document(asked: Configuration, action: Action, partition: str, answer: Answer) -> dict[str, object]:
    skipped = answer.skipped
    return {
        "mirror": asked.name,
        "partition": partition,
        "action": action.value,
        "state": answer.state,
        "before": answer.before,
        "after": answer.after,
        "stored": answer.is_kept,
        "skipped": None
        if skipped is None
        else {
            "from": skipped.lost_from,
            "to": skipped.lost_to,
            "records": skipped.records,
            "origin": skipped.origin,
            "cause": skipped.cause,
        },
    }


def _print(action: Action, partition: str, answer: Answer) -> None:
    if answer.skipped is not None:
        skipped = answer.skipped
        count = "an unknown number of records" if skipped.records is None else counted(skipped.records, "record")
        print(f"skipped in {partition}: from {skipped.lost_from} to {skipped.lost_to}, {count}")
        if skipped.origin is not None:
            print(f"origin: {skipped.origin}")
        print(f"cause: {skipped.cause}")
    print(f"{partition}: {answer.state}, goes on after {answer.after or 'the beginning'}")
    if not answer.is_kept:
        print(f"{action.value} is not stored yet: it will be as soon as checkpoints can be saved")
