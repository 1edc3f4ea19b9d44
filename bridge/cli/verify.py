"""``kmbridge verify``: what both sides hold, compared."""

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from pydantic_core import PydanticCustomError

from bridge.cli.arguments import Json, Name, Settings, Targets, located_configuration
from bridge.cli.failure import FAILED
from bridge.cli.lazy import lasting
from bridge.cli.output import print_json, print_rows
from bridge.cli.stop import quitting, stopping
from bridge.config import Configuration
from bridge.config.quantities import duration
from bridge.errors import UsageError
from bridge.jobs.span import point
from bridge.parity.report import ParityReport
from bridge.telemetry.http import serving
from bridge.telemetry.logging import LogFormat, configure_logging

if TYPE_CHECKING:
    from bridge.parity.following import Following

log = structlog.get_logger(__name__)

_POINT = "trim_horizon, now, an ISO-8601 time with its zone, or PARTITION/POSITION, repeatable"

From = Annotated[list[str] | None, typer.Option("--from", metavar="P", help=f"Where to begin: {_POINT}.")]
Until = Annotated[list[str] | None, typer.Option("--until", metavar="P", help=f"Where to end: {_POINT}.")]
Shared = Annotated[
    bool,
    typer.Option("--shared", help="Others write to the sink too: their records are counted, and are no difference."),
]

Follow = Annotated[
    bool,
    typer.Option(
        "--follow",
        help="Go on behind the mirror until SIGTERM or SIGINT, and tell of it under /metrics: http.listen says where, "
        "another port than the mirror's.",
    ),
]
Behind = Annotated[str, typer.Option("--behind", metavar="TIME", help="How far --follow stays behind the mirror.")]


def verify(
    targets: Targets,
    *,
    start: From = None,
    until: Until = None,
    shared: Shared = False,
    follow: Follow = False,
    behind: Behind = "2m",
    name: Name = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Read both sides independently and prove that they hold the same, each key in order, or list what differs.

    Exits 0 where they are equal, 1 where they differ, 3 where one of them cannot be reached. A mirror that runs
    meanwhile is not disturbed; what it has not written yet is missing: end the range before that with --until.

    Example: kmbridge verify orders.yaml --until 2026-11-25T12:00:00Z
    """
    asked = located_configuration(targets, name, settings)
    first, last = point("--from", start or ["trim_horizon"]), point("--until", until or ["now"])
    behind_s = _seconds(behind)
    if follow and until:
        raise UsageError("--until", "--follow has no end", "leave one of them out")
    configure_logging(LogFormat(asked.log.format), asked.log.level)
    with quitting():
        with lasting():
            # What reaches the ends is large, and a wrong command does without it.
            from bridge.parity.following import Following  # noqa: PLC0415
            from bridge.parity.verification import Range  # noqa: PLC0415
            from bridge.parity.verification import verify as compared  # noqa: PLC0415

        if follow:
            following = Following(asked, first, behind_s=behind_s, is_shared=shared)
            report = asyncio.run(_follow(asked, following))
        else:
            report = asyncio.run(compared(asked, Range(first, last), is_shared=shared))
    _print(report, as_json=as_json)
    if not report.equal:
        raise typer.Exit(FAILED)


async def _follow(asked: Configuration, following: "Following") -> ParityReport:
    """Compare until a signal asks for the end, and tell of it at the mirror's HTTP endpoint."""
    async with serving(asked.listener, [], version("kmbridge"), comparisons=[following.counts]) as address:
        log.info("following", **({} if address is None else {"metrics": f"{address}/metrics"}))
        with stopping(following.stop):
            return await following.run()


def _seconds(text: str) -> float:
    try:
        return duration(text)
    except PydanticCustomError as error:
        raise UsageError(f"--behind {text}", error.message()) from None


def _print(report: ParityReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.to_json())
        return
    print_rows((f"{report.source} into {report.sink}", ""), report.summary())
    if rows := report.rows():
        print_rows(("difference", "records", "the first of them"), rows)
