"""Arguments and options that several commands share."""

import asyncio
import os
from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from bridge.config import Configuration, Mirrors, load, load_all
from bridge.config.urls import is_url

Targets = Annotated[
    list[str],
    typer.Argument(
        metavar="CONFIG | URL URL",
        show_default=False,
        help="A configuration file; or a source and a sink, each kinesis://[REGION]/STREAM or kafka://HOST:PORT/TOPIC.",
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="The mirror's name; with URLs the default is made of the two, as STREAM-to-TOPIC. "
        "Of several mirrors it says which.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set any key, as sink.kafka.compression=zstd; repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]

Until = Annotated[
    list[str] | None,
    typer.Option("--until", metavar="P", show_default=False, help="Where to end, likewise; left out: now."),
]
SentAt = Annotated[
    Literal["original", "now"],
    typer.Option("--timestamps", help="now: write each record with the time at which it is sent."),
]


def configuration(targets: Sequence[str], name: str | None, settings: Sequence[str] | None) -> Configuration:
    """What the shared arguments say of one mirror. Raises ``ConfigurationError``."""
    return load(targets, environment=os.environ, name=name, settings=settings or ())


def configurations(targets: Sequence[str], name: str | None, settings: Sequence[str] | None) -> Mirrors:
    """Likewise, where there may be several. Raises ``ConfigurationError``."""
    return load_all(targets, environment=os.environ, name=name, settings=settings or ())


def located_configuration(targets: Sequence[str], name: str | None, settings: Sequence[str] | None) -> Configuration:
    """As ``configuration``, for who works with its ends: what only AWS knows of clusters of Kafka is asked for.

    Raises what ``located`` raises.
    """
    asked = configuration(targets, name, settings)
    if not any(cluster.wants_locating for cluster in asked.clusters.values()):
        return asked
    # It brings much with it, and most configurations do without it.
    from bridge.keeping.clusters import located  # noqa: PLC0415

    return asyncio.run(located(asked))


def split_targets(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The file or the two URLs that come first, and the arguments behind them."""
    count = 2 if arguments and is_url(arguments[0]) else 1
    return list(arguments[:count]), list(arguments[count:])
