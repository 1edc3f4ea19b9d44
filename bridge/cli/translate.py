"""``kmbridge translate``: consumers' places on the other side of a mirror."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from pydantic_core import PydanticCustomError

from bridge.cli.arguments import Json, Name, Settings, Targets, located_configuration
from bridge.cli.failure import FAILED
from bridge.cli.output import print_json, print_rows
from bridge.cli.stop import quitting
from bridge.config.quantities import duration
from bridge.errors import UsageError
from bridge.jobs.span import Kind, point
from bridge.migration.translation import translating as translation
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.request import Direction, InitialPosition, TranslateRequest
from bridge.telemetry.logging import LogFormat, configure_logging
from connectors.counted import counted

FromKcl = Annotated[
    str | None,
    typer.Option("--from-kcl", metavar="APP", show_default=False, help="The KCL application that stops reading."),
]
ToGroup = Annotated[
    str | None, typer.Option("--to-group", metavar="GROUP", show_default=False, help="The group that goes on.")
]
FromGroup = Annotated[
    str | None, typer.Option("--from-group", metavar="GROUP", show_default=False, help="The group that stops reading.")
]
ToKcl = Annotated[
    str | None,
    typer.Option(
        "--to-kcl", metavar="APP", show_default=False, help="The application that goes on; it must have no table yet."
    ),
]
Apply = Annotated[bool, typer.Option("--apply", help="Set the places. Left out: only tell them.")]
Initial = Annotated[
    str | None,
    typer.Option(
        "--initial-position",
        metavar="P",
        show_default=False,
        help="Where consumers begin that have stored no place: trim_horizon or an ISO-8601 time. Needed for leases at "
        "LATEST or AT_TIMESTAMP, which tell none.",
    ),
]
Failover = Annotated[
    str,
    typer.Option(
        "--failover-time", metavar="TIME", help="The application's failoverTimeMillis: so long its table is watched."
    ),
]
LeaseRegion = Annotated[
    str | None,
    typer.Option(
        "--lease-region", metavar="REGION", show_default=False, help="Where the lease table is. Left out: the stream's."
    ),
]
LeaseEndpoint = Annotated[
    str | None,
    typer.Option("--lease-endpoint-url", metavar="URL", show_default=False, help="DynamoDB. Left out: AWS."),
]

Back = Annotated[
    str | None,
    typer.Option(
        "--back",
        metavar="CONFIG",
        show_default=False,
        help="The configuration of a mirror the other way that has begun. Left out: it is guessed from its copies.",
    ),
]


def translate(
    targets: Targets,
    *,
    from_kcl: FromKcl = None,
    to_group: ToGroup = None,
    from_group: FromGroup = None,
    to_kcl: ToKcl = None,
    apply: Apply = False,
    initial_position: Initial = None,
    failover_time: Failover = "10s",
    lease_region: LeaseRegion = None,
    lease_endpoint_url: LeaseEndpoint = None,
    back: Back = None,
    name: Name = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Find where the consumers of one side go on at the other, exact by the origin of every mirrored record.

    Everything that is not processed is seen, and the table says how much will be seen again. With --apply the consumers
    of both sides must be stopped; without it nothing is changed. Exits 1 where something is in the way, or lost.

    Example: kmbridge translate orders.yaml --from-kcl orders-app --to-group orders --apply
    """
    direction, application, group = _direction(from_kcl, to_group, from_group, to_kcl)
    request = TranslateRequest(
        direction,
        application,
        group,
        apply=apply,
        initial_position=_initial(initial_position),
        failover_s=_seconds(failover_time),
        lease_region=lease_region,
        lease_endpoint_url=lease_endpoint_url,
        mirror_back=None if back is None else located_configuration([back], None, None),
    )
    asked = located_configuration(targets, name, settings)
    configure_logging(LogFormat(asked.log.format), asked.log.level)
    with quitting():
        report = asyncio.run(translation.translate(asked, request))
    print_json(report.to_json()) if as_json else _print(report)
    if report.gaps and not report.is_applied:
        raise typer.Exit(FAILED)


def _direction(
    from_kcl: str | None, to_group: str | None, from_group: str | None, to_kcl: str | None
) -> tuple[Direction, str, str]:
    match from_kcl, to_group, from_group, to_kcl:
        case str(application), str(group), None, None:
            return Direction.TO_GROUP, application, group
        case None, None, str(group), str(application):
            return Direction.TO_APPLICATION, application, group
        case _:
            raise UsageError(
                "translate",
                "from where to where?",
                "--from-kcl APP --to-group GROUP, or --from-group GROUP --to-kcl APP",
            )


def _initial(text: str | None) -> InitialPosition:
    if text is None:
        return None
    found = point("--initial-position", [text])
    if found.kind is Kind.OLDEST:
        return "trim_horizon"
    if not isinstance(found.time, datetime):
        raise UsageError(f"--initial-position {text}", "allowed: trim_horizon, an ISO-8601 time with its zone")
    return found.time


def _seconds(text: str) -> float:
    try:
        return duration(text)
    except PydanticCustomError as error:
        raise UsageError(f"--failover-time {text}", error.message()) from None


def _print(report: TranslateReport) -> None:
    is_group = report.direction is Direction.TO_GROUP
    heads = ("partition", "next offset", "before") if is_group else ("shard", "checkpoint", "before")
    rows = [(each.partition, each.place, each.former or "", str(each.again)) for each in report.partitions]
    print_rows((*heads, "seen again"), rows)
    for gap in report.gaps:
        print(f"lost: {gap.partition} from {gap.lost_from} to {gap.lost_to}: {gap.cause}")
    for moving in report.approximate:
        print(f"approximate: {moving}")
    print(f"{_ends(report)}: {counted(report.again, 'record')} will be seen again; {_verdict(report)}")
    read = counted(report.stream_records, "record")
    print(f"read to find it: {read} of the stream, {report.topic_records} of the topic")


def _ends(report: TranslateReport) -> str:
    names = (f"application {report.application}", f"group {report.group}")
    first, second = names if report.direction is Direction.TO_GROUP else names[::-1]
    return f"{first} to {second}"


def _verdict(report: TranslateReport) -> str:
    return "set" if report.is_applied else "nothing is changed; --apply sets it"
