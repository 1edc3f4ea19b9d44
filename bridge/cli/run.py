"""``kmbridge run``: one mirror, in one process or in several, until it is told to stop."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from random import Random
from types import FrameType
from typing import Annotated

import structlog
import typer

from bridge.cli.arguments import Name, Settings, Targets, configurations
from bridge.cli.exporting import exporting, prepare
from bridge.cli.lazy import lasting
from bridge.cli.stop import leave, quitting, stopping
from bridge.config import Configuration, Mirrors
from bridge.control.routes import LaneRoutes
from bridge.engine.retry import Backoff
from bridge.errors import UsageError
from bridge.fleet.watching import migration_of
from bridge.telemetry.http import serving
from bridge.telemetry.listener import pages
from bridge.telemetry.logging import LogFormat, configure_logging
from bridge.telemetry.observed import ObservedMirror
from bridge.workers.cores import usable_cores
from bridge.workers.supervisor import FIRST_DELAY_S, LONGEST_DELAY_S, Supervisor
from connectors.base import Clock

AUTO = "auto"

log = structlog.get_logger(__name__)

Workers = Annotated[
    str | None,
    typer.Option(
        "--workers",
        metavar="N|auto",
        show_default=False,
        help="Processes on this machine that share the work; auto: one a core. Left out: one.",
    ),
]
WorkerIndex = Annotated[int | None, typer.Option("--worker", hidden=True, min=0)]


def run(
    targets: Targets,
    name: Name = None,
    settings: Settings = None,
    workers: Workers = None,
    worker: WorkerIndex = None,
) -> None:
    """Mirror until told to stop.

    The first SIGTERM or SIGINT drains, saves the checkpoints and exits 0; a second leaves at once.

    Example: kmbridge run orders.yaml --set sink.kafka.compression=zstd
    """
    _check_workers(workers)
    own_version = version("kmbridge")
    with quitting():
        mirrors = configurations(targets, name, settings)
        configure_logging(LogFormat(mirrors.process.log.format), mirrors.process.log.level)
        prepare(mirrors.process)
        asked = mirrors.alone
        if asked is None:
            _mirror_many(mirrors, own_version, workers)
            return
        processes = 1 if worker is not None else _processes(workers, asked)
        if processes == 1:
            _mirror(asked, own_version, worker)
        elif code := asyncio.run(supervise(asked, own_version, processes, _worker_command(targets, name, settings))):
            raise typer.Exit(code)


def _check_workers(workers: str | None) -> None:
    if workers is None or workers == AUTO or (workers.isdecimal() and int(workers) > 0):
        return
    raise UsageError(f"--workers {workers}", f"allowed: a number from 1 on, or {AUTO}")


def _processes(workers: str | None, asked: Configuration) -> int:
    if workers is None:
        return 1
    if workers == AUTO:
        return usable_cores() if asked.shares_work else 1
    if int(workers) > 1 and not asked.shares_work:
        raise _for_one_worker(workers, asked)
    return int(workers)


def _for_one_worker(workers: str, asked: Configuration) -> UsageError:
    choice = asked.checkpoints
    kind = choice if isinstance(choice, str) else ", ".join(choice.model_fields_set)
    here = ", from Kinesis to Kinesis," if kind == "auto" else ""
    shared = "kafka: {topic: TOPIC}" if asked.kafka_end is not None else "kafka: {bootstrap_servers: [HOST:PORT]}"
    return UsageError(
        f"--workers {workers}",
        f"checkpoints: {kind}{here} is for one worker",
        f"set checkpoints to {shared}, which workers share, or leave --workers out",
    )


def _mirror_many(asked: Mirrors, own_version: str, workers: str | None) -> None:
    if workers is not None and workers != "1":
        raise UsageError(
            f"--workers {workers}",
            "several mirrors run in one process",
            "leave it out; start the command once more, with another http.listen, and the two share the work",
        )
    with lasting():
        from bridge.cli.mirroring import mirror_many  # noqa: PLC0415
        from bridge.fleet.mirroring import warn  # noqa: PLC0415

    for each in asked.single:
        warn(each)
    asyncio.run(mirror_many(asked, own_version))


def _mirror(asked: Configuration, own_version: str, worker: int | None) -> None:
    with lasting():
        # What reaches the ends is large, and a supervisor does without it.
        from bridge.cli.mirroring import mirror_alone, mirror_as_worker  # noqa: PLC0415
        from bridge.fleet.mirroring import warn  # noqa: PLC0415

    warn(asked)
    asyncio.run(mirror_alone(asked, own_version) if worker is None else mirror_as_worker(asked, own_version, worker))


def _worker_command(
    targets: Sequence[str], name: str | None, settings: Sequence[str] | None
) -> Callable[[int], Sequence[str]]:
    """This command, for one worker."""
    options = [] if name is None else ["--name", name]
    for setting in settings or ():
        options += ["--set", setting]

    def command(index: int) -> Sequence[str]:
        # -P: a file in the working directory does not stand in for a module, as it does not for the script either.
        call = (sys.executable, "-P", "-m", "bridge.cli", "run", "--worker", str(index))
        return (*call, *options, "--", *targets)

    return command


async def supervise(
    asked: Configuration, own_version: str, processes: int, command: Callable[[int], Sequence[str]]
) -> int:
    """Keep that many workers until a signal drains them; a second one ends them. Return the exit code.

    ``command`` starts the worker of an index.
    """

    def backoff() -> Backoff:
        return Backoff(Random(), first_s=FIRST_DELAY_S, ceiling_s=LONGEST_DELAY_S)

    supervisor = Supervisor(command, processes, clock=Clock(), backoff=backoff)

    def drain(signal_name: str) -> None:
        log.info("draining", asked_by=signal_name)
        supervisor.drain()

    def force(number: int, frame: FrameType | None) -> None:
        supervisor.kill()
        leave(number, frame)

    with structlog.contextvars.bound_contextvars(mirror=asked.name):
        orders, observed = LaneRoutes({asked.name: supervisor}.get).routes(), _observed(asked, supervisor)
        async with (
            migration_of(asked) as cutover,
            serving(asked.listener, [replace(observed, cutover=cutover)], own_version, routes=orders) as address,
            exporting(asked, [observed]),
        ):
            log.info("supervising", workers=processes, **pages(address))
            with stopping(drain, second=force):
                code = await supervisor.run()
            log.info("stopped", records=supervisor.status().records_written, exit_code=code)
    return code


def _observed(asked: Configuration, supervisor: Supervisor) -> ObservedMirror:
    return ObservedMirror(
        asked.name,
        supervisor.status,
        supervisor.counts,
        supervisor.trouble,
        supervisor.restarts,
        source=asked.source.end.place,
        sink=asked.sink.end.place,
    )
