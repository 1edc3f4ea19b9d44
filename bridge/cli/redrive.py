"""``kmbridge redrive``: dead-lettered records, sent again."""

import asyncio
from typing import Annotated

import structlog
import typer

from bridge.cli.arguments import Json, Name, SentAt, Settings, Targets, Until, located_configuration
from bridge.cli.failure import FAILED
from bridge.cli.output import print_json
from bridge.cli.progress import showing
from bridge.cli.stop import quitting, stopping
from bridge.config import Configuration
from bridge.jobs.redrive import Redrive
from bridge.jobs.redrive_report import RedriveReport
from bridge.jobs.redrive_request import RedriveRequest
from bridge.jobs.span import point
from bridge.telemetry.logging import LogFormat, configure_logging
from connectors.counted import counted

From = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="P",
        show_default=False,
        help="Where to begin in the dead letter: trim_horizon, an ISO-8601 time, or PARTITION/POSITION of a letter, "
        "which is sent too; repeatable. Left out: behind the letters that were sent before.",
    ),
]


def redrive(
    targets: Targets,
    *,
    since: From = None,
    until: Until = None,
    timestamps: SentAt = "original",
    name: Name = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Send the records of the dead letter to the sink again, those of each key in the order in which they came there.

    Mend first what they were refused for. What the mirror wrote of their keys meanwhile is in the sink before them: no
    redrive restores that order. They carry kmbridge-replay with the redrive's id. The letters stay where they are, and
    how far they are sent is kept under NAME-redrive: the same command goes on, or says that there is nothing to do. The
    mirror may run meanwhile. What is refused again becomes the last letters, and the exit code is 1.

    Example: kmbridge redrive orders.yaml
    """
    with quitting(FAILED):
        request = RedriveRequest(
            since=None if not since else point("--from", since),
            until=None if not until else point("--until", until),
            timestamps=timestamps,
        )
        asked = located_configuration(targets, name, settings)
        configure_logging(LogFormat(asked.log.format), asked.log.level)
        report = asyncio.run(_redrive(asked, request))
    print_json(report.to_json()) if as_json else _print(asked.name, report)
    if not report.is_complete or report.refused:
        raise typer.Exit(FAILED)


async def _redrive(asked: Configuration, request: RedriveRequest) -> RedriveReport:
    job = Redrive(asked, request)
    with structlog.contextvars.bound_contextvars(mirror=asked.name), stopping(job.stop):
        async with showing(job.progress):
            return await job.run()


def _print(name: str, report: RedriveReport) -> None:
    if report.was_nothing:
        print(f"redrive {name}: nothing to do, no letters are left in {report.dead_letter}")
        return
    print(f"redrive {report.id}: {counted(report.sent, 'record')} from {report.dead_letter} to {report.sink}")
    for reason, count in sorted(report.refused.items()):
        print(f"refused again, {reason}: {count}; they are the last letters now")
    if not report.is_complete:
        print("interrupted; the same command goes on")
