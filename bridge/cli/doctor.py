"""``kmbridge doctor``: what a mirror rests on, looked at."""

import asyncio

import typer

from bridge.cli.arguments import Json, Name, Settings, Targets, configuration
from bridge.cli.failure import ENDPOINT, FAILED
from bridge.cli.lazy import lasting
from bridge.cli.output import print_json, print_rows
from bridge.cli.stop import quitting
from bridge.findings import Finding, Severity
from bridge.telemetry.logging import LogFormat, configure_logging

_STYLES = {
    Severity.OK.value: "green",
    Severity.WARNING.value: "yellow",
    Severity.FAILED.value: "bold red",
    Severity.SKIPPED.value: "dim",
}


def doctor(
    targets: Targets,
    name: Name = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Look at everything that a mirror rests on, and say what to do about what is wrong. Changes nothing.

    Exits 0 where nothing failed, warnings or not; 1 where a check failed; 3 where an end cannot be reached.

    Example: kmbridge doctor orders.yaml
    """
    asked = configuration(targets, name, settings)
    configure_logging(LogFormat(asked.log.format), asked.log.level)
    with quitting():
        with lasting():
            # What reaches the ends is large, and a wrong command does without it.
            from bridge.doctor import doctor as examined  # noqa: PLC0415

        report = asyncio.run(examined(asked))
    if as_json:
        print_json(report.to_json())
    else:
        print_rows(("check", "result", "found", "remedy"), [_row(each) for each in report.findings], _STYLES)
        print(", ".join(f"{count} {severity}" for severity, count in report.counts.items()))
    if not report.is_reached:
        raise typer.Exit(ENDPOINT)
    if report.failed:
        raise typer.Exit(FAILED)


def _row(finding: Finding) -> tuple[str, ...]:
    found = f"{finding.found}: {finding.reason}" if finding.reason else finding.found
    return finding.check, finding.severity.value, found, finding.remedy
