"""``kmbridge checkpoints``: see and change where a mirror stands."""

import asyncio
import sys
from dataclasses import asdict
from typing import Annotated

import structlog
import typer

from bridge.cli.arguments import Json, Name, Settings, Targets, configuration, split_targets
from bridge.cli.output import age, print_json, print_rows
from bridge.config import Configuration
from bridge.errors import BridgeError, UsageError
from bridge.stores import checked_position, checkpoint_path, checkpoint_reader, checkpoint_store
from bridge.telemetry.logging import LogFormat, configure_logging
from checkpoints.base import Checkpoint
from connectors.base import Clock

log = structlog.get_logger(__name__)

checkpoints = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_ORDER = "In this order; CONFIG is a file or two URLs."

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
New = Annotated[bool, typer.Option("--new", help="Accept a partition that has no checkpoint yet.")]


@checkpoints.callback()
def _group() -> None:
    """See and change where a mirror stands."""


@checkpoints.command("list", epilog="Example: kmbridge checkpoints list orders.yaml")
def list_(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Show how far each partition is mirrored. Does not disturb a running mirror."""
    asked = _configuration(targets, name, settings)
    found = sorted(asyncio.run(checkpoint_reader(asked).load()).items())
    if as_json:
        print_json({"name": asked.name, "checkpoints": [_document(*each) for each in found]})
        return
    now_ms = Clock().now_ms()
    columns = ("partition", "position", "complete until", "saved", "finished", "gaps")
    print_rows(columns, [_row(partition, checkpoint, now_ms) for partition, checkpoint in found])
    if not found:
        print(f"mirror {asked.name} has no checkpoints in {checkpoint_path(asked)}", file=sys.stderr)


@checkpoints.command("set", epilog="Example: kmbridge checkpoints set orders.yaml shardId-000000000000 4957…#3")
def set_(
    arguments: Annotated[list[str], typer.Argument(metavar="CONFIG PARTITION POSITION", help=_ORDER)],
    name: Name = None,
    settings: Settings = None,
    new: New = False,
    as_json: Json = False,
) -> None:
    """Let a stopped mirror go on strictly after POSITION in one partition, and print where it stood."""
    targets, rest = split_targets(arguments)
    if len(rest) != 2:
        raise UsageError("checkpoints set", f"found {len(rest)} arguments behind the configuration, not two")
    partition, position = rest[0], checked_position(rest[1])
    asked = _configuration(targets, name, settings)
    old = asyncio.run(_set(asked, partition, position, new=new))
    log.warning("checkpoint set", mirror=asked.name, partition=partition, old=old, new=position)
    if as_json:
        print_json({"partition": partition, "old": old, "new": position})
    else:
        print(f"{partition}: {_text(old)} -> {position}")


@checkpoints.command("reset", epilog="Example: kmbridge checkpoints reset orders.yaml --yes")
def reset(
    arguments: Annotated[list[str], typer.Argument(metavar="CONFIG [PARTITION…]", help=_ORDER)],
    name: Name = None,
    settings: Settings = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Forget where a stopped mirror stands, and print where it stood.

    Without PARTITION it starts anew, at its key `start`; a partition alone is read from its beginning.
    """
    targets, partitions = split_targets(arguments)
    asked = _configuration(targets, name, settings)
    old = asyncio.run(_reset(asked, partitions, yes=yes))
    for partition, position in old.items():
        log.warning("checkpoint reset", mirror=asked.name, partition=partition, old=position)
    if as_json:
        print_json({"reset": [{"partition": partition, "old": position} for partition, position in old.items()]})
        return
    for partition, position in old.items():
        print(f"{partition}: {_text(position)} -> forgotten")
    if not old:
        print(f"mirror {asked.name} has no checkpoints: nothing to forget")


def _configuration(targets: list[str], name: str | None, settings: list[str] | None) -> Configuration:
    asked = configuration(targets, name, settings)
    if checkpoint_path(asked) is None:
        raise UsageError("checkpoints", "those of this mirror are in memory, and end with its process")
    configure_logging(LogFormat(asked.log.format), asked.log.level)
    return asked


async def _set(asked: Configuration, partition: str, position: str, *, new: bool) -> str | None:
    """Change one checkpoint; the position that was there."""
    async with checkpoint_store(asked) as store:
        found = await store.load()
        old = found.get(partition)
        if old is None and not new:
            raise _unknown([partition], found, "--new accepts it")
        changed = Checkpoint(
            position=position,
            # What the old one knew of the time does not hold for another position.
            watermark_ms=None,
            finished=False,
            saved_ms=Clock().now_ms(),
            source=old.source if old else "",
            sink=old.sink if old else "",
            gaps=old.gaps if old else (),
        )
        await store.save({partition: changed})
    return old.position if old else None


async def _reset(asked: Configuration, partitions: list[str], *, yes: bool) -> dict[str, str | None]:
    """Forget checkpoints; the positions that were there."""
    async with checkpoint_store(asked) as store:
        found = await store.load()
        if unknown := [partition for partition in partitions if partition not in found]:
            raise _unknown(unknown, found, "")
        chosen = sorted(set(partitions) or found)
        if chosen and not yes:
            _confirm(asked, chosen)
        await store.delete(chosen)
    return {partition: found[partition].position for partition in chosen}


def _unknown(partitions: list[str], found: object, hint: str) -> BridgeError:
    known = ", ".join(sorted(found)) if isinstance(found, dict) and found else "none"
    return BridgeError("checkpoints", f"there is none of {', '.join(partitions)}; known: {known}", hint)


def _confirm(asked: Configuration, partitions: list[str]) -> None:
    if not sys.stdin.isatty():
        raise UsageError("checkpoints reset", "nobody is there to confirm", "--yes does without")
    question = f"Forget where mirror {asked.name} stands in {len(partitions)} partitions?"
    if not typer.confirm(question, err=True):
        raise BridgeError("checkpoints reset", "not confirmed, nothing is changed")


def _document(partition: str, checkpoint: Checkpoint) -> dict[str, object]:
    return {"partition": partition, **asdict(checkpoint)}


def _row(partition: str, checkpoint: Checkpoint, now_ms: int) -> tuple[str, ...]:
    return (
        partition,
        _text(checkpoint.position),
        "-" if checkpoint.watermark_ms is None else f"{age(now_ms - checkpoint.watermark_ms)} ago",
        f"{age(now_ms - checkpoint.saved_ms)} ago",
        "yes" if checkpoint.finished else "no",
        str(len(checkpoint.gaps)),
    )


def _text(position: str | None) -> str:
    return "beginning" if position is None else position
