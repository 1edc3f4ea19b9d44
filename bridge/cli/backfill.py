"""``kmbridge backfill``: a bounded range, copied to its end."""

import asyncio
from importlib.metadata import version
from typing import Annotated, Literal

import structlog
import typer

from bridge.cli.arguments import Json, Name, Settings, Targets, Until, located_configuration
from bridge.cli.failure import FAILED
from bridge.cli.mirroring import mirror_alone
from bridge.cli.output import print_json, print_rows
from bridge.cli.progress import showing
from bridge.cli.stop import quitting, stopping
from bridge.config import Configuration
from bridge.control.mirror import MirrorControl
from bridge.control.routes import LaneRoutes
from bridge.fleet.mirroring import warn
from bridge.jobs.backfill import Backfill
from bridge.jobs.backfill_report import BackfillReport
from bridge.jobs.backfill_request import BackfillRequest
from bridge.jobs.span import point
from bridge.telemetry.http import serving
from bridge.telemetry.logging import LogFormat, configure_logging
from connectors.counted import counted

From = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="P",
        show_default=False,
        help="Where to begin, for a mirror without checkpoints: trim_horizon, an ISO-8601 time, or PARTITION/POSITION, "
        "which is part of the range; repeatable, and then only these partitions. Left out: its key start.",
    ),
]
Then = Annotated[
    Literal["run"] | None, typer.Option("--then", show_default=False, help="Go on as `kmbridge run` behind the end.")
]
Again = Annotated[bool, typer.Option("--again", help="Begin another job from where the mirror stands, to a new end.")]
Timestamps = Annotated[
    Literal["original", "now"],
    typer.Option(
        "--timestamps", help="now: write records with the time of copying, where their own would expire them."
    ),
]


def backfill(
    targets: Targets,
    *,
    since: From = None,
    until: Until = None,
    then: Then = None,
    again: Again = False,
    timestamps: Timestamps = "original",
    name: Name = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Copy a bounded range, and exit 0 when exactly that is durable in the sink.

    Where it ends is frozen when the job first starts: the same command goes on after a crash, and says so at once
    when all is done. SIGTERM or SIGINT stops it with what it has: it exits 1, and can go on. A second leaves at once.

    Example: kmbridge backfill orders.yaml --until 2026-01-31T12:00:00Z --then run
    """
    with quitting(FAILED):
        request = BackfillRequest(
            since=None if not since else point("--from", since),
            until=None if not until else point("--until", until),
            again=again,
            timestamps=timestamps,
        )
        asked = located_configuration(targets, name, settings)
        configure_logging(LogFormat(asked.log.format), asked.log.level)
        warn(asked)
        report = asyncio.run(_backfill(asked, request))
        print_json(report.to_json()) if as_json else _print(report)
        if not report.is_complete:
            raise typer.Exit(FAILED)
    if then is not None:
        with quitting():
            asyncio.run(mirror_alone(asked, version("kmbridge")))


async def _backfill(asked: Configuration, request: BackfillRequest) -> BackfillReport:
    job = Backfill(asked, request)
    with structlog.contextvars.bound_contextvars(mirror=asked.name):
        orders = LaneRoutes({asked.name: MirrorControl(job.mirror, job.source)}.get).routes()
        async with serving(asked.listener, [job.observed], version("kmbridge"), routes=orders):
            with stopping(job.stop):
                async with showing(job.progress):
                    return await job.run()


def _print(report: BackfillReport) -> None:
    rows = [
        (each.partition, each.since or "beginning", each.until, str(each.records), "yes" if each.is_complete else "no")
        for each in report.partitions
    ]
    print_rows(("partition", "behind", "until", "records", "complete"), rows)
    print(
        f"backfill {report.name} from {report.since} until {report.until}: "
        f"{counted(report.records, 'record')}, {_verdict(report)}"
    )


def _verdict(report: BackfillReport) -> str:
    if report.was_done:
        return "done before; --again begins another from where it stands"
    if report.is_complete:
        return f"complete in {report.seconds:.1f} s"
    return "interrupted; the same command goes on"
