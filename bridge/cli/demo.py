"""``kmbridge demo``: the main job, shown and proved on one machine."""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bridge.cli.arguments import Json
from bridge.cli.failure import FAILED
from bridge.cli.output import print_json, print_rows
from bridge.cli.stop import stopping
from bridge.demo.course import Mirroring, perform
from bridge.demo.direction import Direction, kafka_to_kinesis, kinesis_to_kafka
from bridge.demo.display import PlainDisplay, TerminalDisplay
from bridge.demo.embedded_kinesis import require_moto
from bridge.demo.environment import nobodys_environment
from bridge.demo.live_mirror import stream_into_topic, topic_into_stream
from bridge.demo.result import DemoResult
from bridge.demo.workload import Workload
from bridge.telemetry.logging import LogFormat, configure_logging

INTERRUPTED = 130


class Origin(StrEnum):
    KINESIS = "kinesis"
    KAFKA = "kafka"


_PARTS: Mapping[Origin, tuple[Direction, Mirroring]] = {
    Origin.KINESIS: (kinesis_to_kafka, stream_into_topic),
    Origin.KAFKA: (kafka_to_kinesis, topic_into_stream),
}
_TITLES = {Origin.KINESIS: "Kinesis to Kafka", Origin.KAFKA: "Kafka to Kinesis"}


def demo(
    records: Annotated[int, typer.Option("--records", min=1, help="How many to write.")] = 20_000,
    keys: Annotated[int, typer.Option("--keys", min=1, help="How many different keys they have.")] = 500,
    origin: Annotated[Origin, typer.Option("--from", help="Which of the two servers to mirror from.")] = Origin.KINESIS,
    as_json: Json = False,
) -> None:
    """Mirror between two embedded servers while records are written, then prove that both hold the same.

    Needs nothing but Python, and nothing of yours: both servers listen on 127.0.0.1 and end with the command.
    Exits 1 where a record is missing, doubled, altered or out of its key's order.

    Example: kmbridge demo --records 50000
    """
    require_moto()
    configure_logging(LogFormat.AUTO, "warning")
    with nobodys_environment(), tempfile.TemporaryDirectory(prefix="kmbridge-demo-") as folder:
        result = asyncio.run(_perform(origin, Workload(records, keys), Path(folder)))
    if result is None:
        raise typer.Exit(INTERRUPTED)
    _print(origin, result, as_json=as_json)
    if not result.parity.equal:
        raise typer.Exit(FAILED)


async def _perform(origin: Origin, workload: Workload, folder: Path) -> DemoResult | None:
    """None when a signal ended it."""
    performing = asyncio.create_task(_displayed(origin, workload, folder))

    def stop(_: str) -> None:
        performing.cancel()

    with stopping(stop):
        try:
            return await performing
        except asyncio.CancelledError:
            print("interrupted, everything is stopped", file=sys.stderr)
            return None


async def _displayed(origin: Origin, workload: Workload, folder: Path) -> DemoResult:
    console = Console(stderr=True, markup=False, highlight=False)
    display = (
        TerminalDisplay(workload.records, console)
        if console.is_terminal
        else PlainDisplay(workload.records, sys.stderr)
    )
    with display:
        direction, mirroring = _PARTS[origin]
        return await perform(direction, workload, mirroring, folder, display)


def _print(origin: Origin, result: DemoResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result.to_json())
        return
    print_rows((_TITLES[origin], ""), result.rows())
    if not result.parity.equal:
        print_rows(("difference", "records", "the first of them"), result.parity.rows())
