"""``kmbridge fan-out``: the consumer for which a mirror subscribes to its stream."""

import asyncio

import typer

from bridge.cli.arguments import Json, Name, Settings, Targets, configuration, located_configuration
from bridge.cli.output import print_json
from bridge.config import Configuration
from bridge.errors import UsageError
from bridge.jobs.fan_out import Consumer, registered, removed
from bridge.telemetry.logging import LogFormat, configure_logging

fan_out = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@fan_out.callback()
def _group() -> None:
    """See and remove the consumer of a mirror that subscribes to its stream (read: fan_out)."""


@fan_out.command("show", epilog="Example: kmbridge fan-out show orders.yaml")
def show(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Show whether the stream has the mirror's consumer, which costs as long as it is registered."""
    asked = _of_stream(configuration(targets, name, settings))
    found = asyncio.run(registered(asked))
    if as_json:
        print_json({"name": asked.name, "consumer": _document(found)})
    else:
        print("no consumer is registered" if found is None else f"{found.arn} is {found.status}")


@fan_out.command("remove", epilog="Example: kmbridge fan-out remove orders.yaml")
def remove(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Deregister the consumer of a stopped mirror, also of one that polls by now. Nothing is lost by that.

    A mirror with read: fan_out registers it anew when it starts.
    """
    asked = _of_stream(located_configuration(targets, name, settings))
    found = asyncio.run(removed(asked))
    if as_json:
        print_json({"name": asked.name, "removed": _document(found)})
    else:
        print("no consumer is registered: nothing to remove" if found is None else f"{found.arn} is removed")


def _of_stream(asked: Configuration) -> Configuration:
    """``asked``. Raises ``UsageError`` where its source has no consumers."""
    if asked.source.kinesis is None:
        raise UsageError("fan-out", "the source of this mirror is a topic, and has no consumers to subscribe")
    configure_logging(LogFormat(asked.log.format), asked.log.level)
    return asked


def _document(consumer: Consumer | None) -> dict[str, object] | None:
    return None if consumer is None else {"arn": consumer.arn, "status": consumer.status}
