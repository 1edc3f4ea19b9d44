"""All checks side by side, each within its time."""

import asyncio
from collections.abc import Iterable
from random import Random

from bridge.config import Configuration
from bridge.doctor.catalogue import CHECKS
from bridge.doctor.check import Check, Findings
from bridge.doctor.reach import reached
from bridge.doctor.report import DoctorReport
from bridge.doctor.sample import UnreadableError
from bridge.doctor.scene import Scene
from bridge.findings import Finding, LookError, failure
from bridge.groups import together
from connectors.base import Clock

PATIENCE_S = 6.0
"""Of one check, and of reaching an end before that."""


async def doctor(
    configuration: Configuration, *, clock: Clock | None = None, patience_s: float = PATIENCE_S
) -> DoctorReport:
    """Look at everything that the mirror of ``configuration`` rests on, in twice ``patience_s`` at the most.

    Whatever fails is a finding: an end that is not reached too, and what would have been looked at there is skipped.
    It changes nothing: neither a record nor an offset is written, no group is joined, and a mirror that runs is not
    disturbed. With ``exactly_once`` a producer is begun under the transactional id ``kmbridge-NAME-doctor``.

    Raises ``SettingsError`` for a setting that cannot be right, whatever the ends would say.
    """
    async with reached(configuration, clock or Clock(), Random(), patience_s) as arrival:
        found = await examined(arrival.scene, CHECKS, patience_s)
        return DoctorReport(configuration.name, (*arrival.findings, *found))


async def examined(scene: Scene, checks: Iterable[Check], patience_s: float = PATIENCE_S) -> tuple[Finding, ...]:
    """What ``checks`` find, in their order, each within ``patience_s``."""
    async with together() as tasks:
        running = [tasks.create_task(_run(check, scene, patience_s), name=check.name) for check in checks]
    return tuple(finding for task in running for finding in task.result())


async def _run(check: Check, scene: Scene, patience_s: float) -> Findings:
    lacking = [f"{role}: {scene.absent[role]}" for role in sorted(check.needs) if role in scene.absent]
    if lacking:
        return (check.skipped("not looked at", "; ".join(lacking)),)
    if not all(map(scene.has, check.needs)):
        # A mirror need not have a dead letter.
        return ()
    try:
        async with asyncio.timeout(patience_s):
            return await check.run(scene)
    except TimeoutError:
        remedy = "look at the network, and at how busy the ends are; then try again"
        return (check.failed("not known", f"no answer within {patience_s:g} s", remedy),)
    except UnreadableError as error:
        return (check.skipped("not looked at", f"{error.operation}: {error.cause}"),)
    except LookError as error:
        return (failure(check.name, error),)
