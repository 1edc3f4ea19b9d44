"""What this process mirrors, until a signal drains it: one mirror, one worker of several, or a fleet."""

from random import Random

import structlog

from bridge.cli.exporting import exporting, followed
from bridge.cli.stop import heeding, stopping
from bridge.config import Configuration, Mirrors
from bridge.control.routes import LaneRoutes
from bridge.engine.retry import Backoff
from bridge.fleet.fleet import LONGEST_DELAY_S, Fleet
from bridge.fleet.mirroring import Mirroring
from bridge.fleet.names import names_of
from bridge.telemetry.http import serving
from bridge.workers.channel import reporting
from bridge.workers.supervisor import FIRST_DELAY_S
from connectors.base import Clock


async def mirror_alone(asked: Configuration, own_version: str) -> None:
    """Mirror and serve the telemetry, until a signal drains."""
    with structlog.contextvars.bound_contextvars(mirror=asked.name):
        async with followed(asked, own_version) as tracers:
            mirroring = Mirroring(asked, tracer=tracers(asked.name))
            orders = LaneRoutes({asked.name: mirroring}.get).routes()
            async with (
                serving(asked.listener, [mirroring.observed], own_version, routes=orders) as address,
                exporting(asked, [mirroring.observed]),
            ):
                with stopping(mirroring.stop):
                    await mirroring.run(address)


async def mirror_as_worker(asked: Configuration, own_version: str, index: int) -> None:
    """Mirror and report to the supervisor, until it asks for a drain or is gone, or a signal drains."""
    with structlog.contextvars.bound_contextvars(mirror=asked.name, worker=index):
        async with followed(asked, own_version) as tracers:
            mirroring = Mirroring(asked, index, tracers(asked.name))
            with heeding(mirroring.stop):
                async with reporting(mirroring.observed, mirroring, lambda: mirroring.stop("supervisor")):
                    await mirroring.run(None)


async def mirror_many(asked: Mirrors, own_version: str) -> None:
    """Mirror all of them and serve their telemetry, until a signal drains, or none works: then raise why."""

    def backoff() -> Backoff:
        return Backoff(Random(), first_s=FIRST_DELAY_S, ceiling_s=LONGEST_DELAY_S)

    async with followed(asked.process, own_version) as tracers:

        def begin(each: Configuration) -> Mirroring:
            return Mirroring(each, tracer=tracers(each.name))

        fleet = Fleet(asked, begin, lambda family: names_of(family, Clock()), clock=Clock(), backoff=backoff)
        orders = LaneRoutes(fleet.control_of).routes()
        async with (
            serving(asked.process.listener, fleet.observed, own_version, routes=orders, is_alone=False) as address,
            exporting(asked.process, fleet.observed),
        ):
            with stopping(fleet.stop):
                await fleet.run(address)
    if fleet.failure is not None:
        raise fleet.failure
