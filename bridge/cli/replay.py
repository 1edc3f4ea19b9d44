"""``kmbridge replay``: a range sent again, beside the mirror."""

import asyncio
import re
from typing import Annotated

import structlog
import typer

from bridge.cli.arguments import Json, Name, SentAt, Settings, Targets, Until, located_configuration
from bridge.cli.failure import FAILED
from bridge.cli.output import print_json, print_rows
from bridge.cli.progress import showing
from bridge.cli.stop import quitting, stopping
from bridge.config import Configuration
from bridge.errors import UsageError
from bridge.jobs.replay import Replay
from bridge.jobs.replay_report import ReplayReport
from bridge.jobs.replay_request import ReplayRequest
from bridge.jobs.span import point
from bridge.telemetry.logging import LogFormat, configure_logging
from connectors.counted import counted

_RATE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(?:/s)?", re.ASCII)
_SPEED = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)x?", re.ASCII)

log = structlog.get_logger(__name__)

From = Annotated[
    list[str],
    typer.Option(
        "--from",
        metavar="P",
        show_default=False,
        help="Where to begin: trim_horizon, an ISO-8601 time, or PARTITION/POSITION, which is part of the range; "
        "repeatable, and then only these partitions.",
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="TOPIC_OR_STREAM", help="Another topic or stream beside the sink; left out: the sink."
    ),
]
Rate = Annotated[str | None, typer.Option("--rate", metavar="N/s", help="Records a second; left out: no limit.")]
Speed = Annotated[
    str | None,
    typer.Option("--speed", metavar="X", help="Keep the spacing of the records' own times, X times as fast."),
]


def replay(
    targets: Targets,
    *,
    since: From,
    until: Until = None,
    to: To = None,
    rate: Rate = None,
    speed: Speed = None,
    timestamps: SentAt = "original",
    name: Name = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Send a range again, without touching the checkpoints of the mirror, which may run meanwhile.

    Each record is sent at least once and carries kmbridge-replay with the replay's id. SIGTERM or SIGINT stops it: the
    report says how far it came, and it exits 1; a second leaves at once.

    Example: kmbridge replay orders.yaml --from 2026-01-31T12:00:00Z --until 2026-01-31T13:00:00Z --rate 500/s
    """
    with quitting():
        request = ReplayRequest(
            since=point("--from", since),
            until=point("--until", until or ["now"]),
            to=to,
            records_per_s=None if rate is None else _number("--rate", rate, _RATE, "500/s"),
            speed=None if speed is None else _number("--speed", speed, _SPEED, "2, or 0.5"),
            timestamps=timestamps,
        )
        asked = located_configuration(targets, name, settings)
        configure_logging(LogFormat(asked.log.format), asked.log.level)
        report = asyncio.run(_replay(asked, request))
    print_json(report.to_json()) if as_json else _print(report)
    if not report.is_complete:
        raise typer.Exit(FAILED)


async def _replay(asked: Configuration, request: ReplayRequest) -> ReplayReport:
    with structlog.contextvars.bound_contextvars(mirror=asked.name):
        job = Replay(asked, request)
        with stopping(job.stop):
            async with showing(job.progress):
                return await job.run()


def _print(report: ReplayReport) -> None:
    rows = [(each.partition, str(each.records), each.last or "-", each.outcome) for each in report.partitions]
    print_rows(("partition", "records", "last position", "outcome"), rows)
    sent = counted(report.records, "record")
    print(f"replay {report.id}: {sent} to {report.sink or 'nowhere'} in {report.seconds:.1f} s")
    for reason, count in sorted(report.skipped.items()):
        print(f"not sent, {reason}: {count}")
    if report.rest:
        print(f"stopped; to go on: {' '.join(f'--from {each}' for each in report.rest)}")
        if report.unbegun:
            print(f"these partitions had not begun, and are not among them: {', '.join(report.unbegun)}")


def _number(option: str, text: str, form: re.Pattern[str], example: str) -> float:
    match = form.fullmatch(text)
    if match is None or not float(match[1]):
        raise UsageError(f"{option} {text}", f"allowed: a number above 0, as {example}")
    return float(match[1])
