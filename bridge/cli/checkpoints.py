"""``kmbridge checkpoints``: see and change where a mirror stands."""

import asyncio
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from typing import Annotated

import structlog
import typer

from bridge.cli.arguments import Json, Name, Settings, Targets, located_configuration, split_targets
from bridge.cli.output import age, print_json, print_rows
from bridge.config import Configuration
from bridge.errors import BridgeError, UsageError
from bridge.keeping.changing import changeable
from bridge.keeping.owners import Holder, holders
from bridge.keeping.stores import checked_partition, checked_position, checkpoint_reader, described
from bridge.telemetry.logging import LogFormat, configure_logging
from checkpoints.base import Checkpoint
from connectors.base import Clock
from connectors.counted import counted

log = structlog.get_logger(__name__)

checkpoints = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_ORDER = "In this order; CONFIG is a file or two URLs."

_PATIENCE_S = 5.0
"""For what workers have open: a living one's is over in tenths of a second."""

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
New = Annotated[bool, typer.Option("--new", help="Accept a partition that has no checkpoint yet.")]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Change checkpoints in a topic beside living workers, too. A running worker overwrites them with its next "
        "checkpoint: stop it first. Files, tables and offsets of a group stay refused while somebody owns them.",
    ),
]


@checkpoints.callback()
def _group() -> None:
    """See and change where a mirror stands."""


@checkpoints.command("list", epilog="Example: kmbridge checkpoints list orders.yaml")
def list_(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Show how far each partition is mirrored. Does not disturb a running mirror.

    Everything that reached the source before "complete until" is mirrored; lag is the time since then, as of the last
    checkpoint: about 0s where the mirror has caught up, and - where it is unknown. The source itself is not asked.
    The owner is the living worker that works on the partition, or - for nobody; one that was killed is shown until
    its session is over.
    """
    asked = _configuration(targets, name, settings)
    found, owners = asyncio.run(_look(asked))
    now_ms = Clock().now_ms()
    if as_json:
        rows = [_document(partition, each, owners.get(partition), now_ms) for partition, each in found.items()]
        print_json({"name": asked.name, "checkpoints": rows})
        return
    columns = ("partition", "position", "complete until", "saved", "finished", "gaps", "owner", "lag")
    print_rows(columns, [_row(partition, each, owners.get(partition), now_ms) for partition, each in found.items()])
    if not found:
        print(f"mirror {asked.name} has no checkpoints in {described(asked)}", file=sys.stderr)


@checkpoints.command("set", epilog="Example: kmbridge checkpoints set orders.yaml shardId-000000000000 4957…#3")
def set_(
    arguments: Annotated[list[str], typer.Argument(metavar="CONFIG PARTITION POSITION", help=_ORDER)],
    name: Name = None,
    settings: Settings = None,
    new: New = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Let a stopped mirror go on strictly after POSITION in one partition, and print where it stood.

    A partition is a shard's id or a topic's partition number, a position a sequence number or an offset.
    """
    targets, rest = split_targets(arguments)
    if len(rest) != 2:
        raise UsageError("checkpoints set", f"found {counted(len(rest), 'argument')} behind the configuration, not two")
    asked = _configuration(targets, name, settings)
    partition, position = checked_partition(asked, rest[0]), checked_position(asked, rest[1])
    asyncio.run(_set(asked, partition, position, new=new, force=force, as_json=as_json))


@checkpoints.command("accept", epilog="Example: kmbridge checkpoints accept orders.yaml")
def accept(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Let a stopped mirror go on though a topic at one of its ends has got more partitions.

    From where it stands on, each key goes to the partition that the new number gives it; what is mirrored stays where
    it is. So a consumer of a sink keeps the order of keys only if it has read the old partitions to their ends before
    it reads what comes now: stop the mirror with one signal, and wait until its consumers have no lag. A topic or
    stream that was made anew is refused.
    """
    asked = _configuration(targets, name, settings)
    # What reaches the ends is large, and the other commands do without it.
    from bridge.jobs.partition_count import accept_partition_counts  # noqa: PLC0415

    accepted = asyncio.run(accept_partition_counts(asked))
    if as_json:
        print_json({"name": asked.name, "accepted": [asdict(each) for each in accepted]})
        return
    for each in accepted:
        for end, change in (("source", each.source), ("sink", each.sink)):
            if change is not None:
                print(f"{each.partition} at {_text(each.position)}: {end} {change[0]} -> {change[1]}")
    if not accepted:
        print(f"mirror {asked.name}: all checkpoints are of the partitions that there are: nothing to accept")


@checkpoints.command("reset", epilog="Example: kmbridge checkpoints reset orders.yaml --yes")
def reset(
    arguments: Annotated[list[str], typer.Argument(metavar="CONFIG [PARTITION…]", help=_ORDER)],
    name: Name = None,
    settings: Settings = None,
    yes: Yes = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Forget where a stopped mirror stands, and print where it stood.

    Without PARTITION it starts anew, at its key `start`; a partition alone is read from its beginning.
    """
    targets, partitions = split_targets(arguments)
    asked = _configuration(targets, name, settings)
    if not yes:
        # Nothing is owned while a person thinks: a worker that starts meanwhile finds its slots.
        partitions = asyncio.run(_chosen(asked, partitions, force=force))
        if not partitions:
            _print_reset(asked, {}, as_json=as_json)
            return
        _confirm(asked, partitions)
    asyncio.run(_reset(asked, partitions, force=force, as_json=as_json))


def _configuration(targets: list[str], name: str | None, settings: list[str] | None) -> Configuration:
    asked = located_configuration(targets, name, settings)
    if asked.checkpoints == "memory":
        raise UsageError("checkpoints", "those of this mirror are in memory, and end with its process")
    configure_logging(LogFormat(asked.log.format), asked.log.level)
    return asked


async def _look(asked: Configuration) -> tuple[Mapping[str, Checkpoint], Mapping[str, Holder]]:
    found = await checkpoint_reader(asked, patience_s=_PATIENCE_S).load()
    return dict(sorted(found.items())), await holders(asked, found, Clock())


async def _set(asked: Configuration, partition: str, position: str, *, new: bool, force: bool, as_json: bool) -> None:
    """Change one checkpoint, and print before that which position was there."""
    async with changeable(asked, create=new, force=force) as store:
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
            # Of a job with an end, what is left of it begins here.
            bound=replace(old.bound, begin=position, records=0, is_reached=False) if old and old.bound else None,
            paused_ms=old.paused_ms if old else None,
        )
        _log_change("checkpoint set", asked, partition, old, new=position)
        if as_json:
            print_json({"partition": partition, "old": old.position if old else None, "new": position})
        else:
            print(f"{partition}: {_text(old.position) if old else 'nothing'} -> {position}", flush=True)
        await store.save({partition: changed})


async def _chosen(asked: Configuration, partitions: list[str], *, force: bool) -> list[str]:
    async with changeable(asked, create=False, force=force) as store:
        return _among(await store.load(), partitions)


async def _reset(asked: Configuration, partitions: list[str], *, force: bool, as_json: bool) -> None:
    """Forget checkpoints, and print before that which positions were there."""
    async with changeable(asked, create=False, force=force) as store:
        found = await store.load()
        chosen = {partition: found[partition] for partition in _among(found, partitions)}
        for partition, old in chosen.items():
            _log_change("checkpoint reset", asked, partition, old)
        _print_reset(asked, chosen, as_json=as_json)
        await store.delete(chosen)


def _among(found: Mapping[str, Checkpoint], partitions: Collection[str]) -> list[str]:
    """``partitions``, or all of them where none is named, in their order. Raises where there is no such one."""
    if unknown := [partition for partition in partitions if partition not in found]:
        raise _unknown(unknown, found, "")
    return sorted(set(partitions) or found)


def _print_reset(asked: Configuration, chosen: Mapping[str, Checkpoint], *, as_json: bool) -> None:
    if as_json:
        print_json({"reset": [{"partition": partition, "old": old.position} for partition, old in chosen.items()]})
        return
    for partition, old in chosen.items():
        print(f"{partition}: {_text(old.position)} -> forgotten", flush=True)
    if not chosen:
        print(f"mirror {asked.name} has no checkpoints in {described(asked)}: nothing to forget")


def _log_change(event: str, asked: Configuration, partition: str, old: Checkpoint | None, **more: object) -> None:
    """All that is about to be lost: a checkpoint's gaps are known nowhere else."""
    told = {} if old is None else _told(old)
    log.warning(event, mirror=asked.name, partition=partition, old=told.pop("position", None), **told, **more)


def _told(checkpoint: Checkpoint) -> dict[str, object]:
    """All that means something to others than the engine."""
    told = asdict(checkpoint)
    del told["window"]
    return told


def _unknown(partitions: list[str], found: Mapping[str, Checkpoint], hint: str) -> BridgeError:
    known = ", ".join(sorted(found)) or "none"
    return BridgeError("checkpoints", f"there is none of {', '.join(partitions)}; known: {known}", hint)


def _confirm(asked: Configuration, partitions: list[str]) -> None:
    if not sys.stdin.isatty():
        raise UsageError("checkpoints reset", "nobody is there to confirm", "--yes does without")
    question = f"Forget where mirror {asked.name} stands in {counted(len(partitions), 'partition')}?"
    if not typer.confirm(question, err=True):
        raise BridgeError("checkpoints reset", "not confirmed, nothing is changed")


def _document(partition: str, checkpoint: Checkpoint, owner: Holder | None, now_ms: int) -> dict[str, object]:
    lag_ms = _lag_ms(checkpoint, now_ms)
    return {
        "partition": partition,
        **_told(checkpoint),
        "age_seconds": max(0, now_ms - checkpoint.saved_ms) / 1000 if checkpoint.saved_ms else None,
        "lag_seconds": None if lag_ms is None else lag_ms / 1000,
        "owner": None if owner is None else owner.worker,
        "owner_host": None if owner is None else owner.host or None,
    }


def _row(partition: str, checkpoint: Checkpoint, owner: Holder | None, now_ms: int) -> tuple[str, ...]:
    lag_ms = _lag_ms(checkpoint, now_ms)
    return (
        partition,
        _text(checkpoint.position),
        "-" if checkpoint.watermark_ms is None else f"{age(now_ms - checkpoint.watermark_ms)} ago",
        f"{age(now_ms - checkpoint.saved_ms)} ago" if checkpoint.saved_ms else "-",
        "yes" if checkpoint.finished else "no" if checkpoint.paused_ms is None else "paused",
        str(len(checkpoint.gaps)),
        "-" if owner is None else str(owner),
        "-" if lag_ms is None else age(lag_ms),
    )


def _lag_ms(checkpoint: Checkpoint, now_ms: int) -> int | None:
    """None where it is unknown. Of a finished partition nothing is left to come."""
    if checkpoint.finished:
        return 0
    return None if checkpoint.watermark_ms is None else max(0, now_ms - checkpoint.watermark_ms)


def _text(position: str | None) -> str:
    return "beginning" if position is None else position
