"""Checks side by side: what hangs, what fails, and what cannot be looked at."""

import asyncio
from typing import ClassVar

import pytest

from bridge.doctor.catalogue import CHECKS
from bridge.doctor.check import Check, Findings
from bridge.doctor.checks.keys import Keys
from bridge.doctor.checks.order import Order
from bridge.doctor.checks.permissions import Permissions
from bridge.doctor.checks.retention import Retention
from bridge.doctor.examination import examined
from bridge.doctor.once import Once
from bridge.doctor.report import DoctorReport
from bridge.doctor.sample import UnreadableError
from bridge.doctor.scene import Role, Scene
from bridge.findings import Finding, Severity
from tests.bridge.doctor.scenes import batch, raising, sample, scene, stream


class Hanging(Check):
    name: ClassVar[str] = "hanging"

    async def run(self, scene: Scene) -> Findings:
        await asyncio.Event().wait()
        return ()


async def test_a_sound_mirror_has_nothing_to_be_warned_of() -> None:
    """Every check looks at it."""
    ids = [f"key-{number}".encode() for number in range(300)]
    quarters = [batch(ids[begin::4], partition=str(begin)) for begin in range(4)]
    here = scene(stream(sample(*quarters, records_per_second=1.0)))
    found = await examined(here, CHECKS)
    assert [each for each in found if each.severity in {Severity.FAILED, Severity.WARNING}] == []
    assert {each.check for each in found} >= {"clocks", "permissions", "order", "keys", "loops", "topic", "read limits"}


async def test_a_check_that_hangs_has_failed() -> None:
    """The others tell what they found all the same."""
    hanging, *others = await examined(scene(), [Hanging(), Order(Role.SOURCE)], patience_s=0.1)
    assert (hanging.severity, hanging.reason) == (Severity.FAILED, "no answer within 0.1 s")
    assert [each.severity for each in others] == [Severity.OK]


async def test_what_depends_on_an_end_that_is_not_reached_is_skipped() -> None:
    """It says which end, and why."""
    here = scene(absent={Role.SINK: "it was not reached"})
    [found] = await examined(here, [Retention()])
    assert (found.severity, found.reason) == (Severity.SKIPPED, "sink: it was not reached")


async def test_an_end_that_nobody_asked_for_is_not_missed() -> None:
    """A mirror need not have a dead letter."""
    assert await examined(scene(), [Permissions(Role.DEAD_LETTER)]) == ()


async def test_records_that_cannot_be_read_are_told_once() -> None:
    """As a missing permission; whoever needs the records is skipped."""
    denied = UnreadableError("GetRecords at Kinesis", "AccessDenied", "grant kinesis:GetRecords")
    here = scene(stream(sampling=raising(denied)))
    failed, skipped = await examined(here, [Permissions(Role.SOURCE), Keys()])
    assert (failed.severity, failed.remedy) == (Severity.FAILED, "grant kinesis:GetRecords")
    assert (skipped.severity, skipped.reason) == (Severity.SKIPPED, "GetRecords at Kinesis: AccessDenied")


async def test_a_mistake_of_a_check_is_no_finding() -> None:
    """Nobody takes a bug of ours for a fault of theirs."""
    with pytest.raises(ZeroDivisionError):
        await examined(scene(stream(sampling=raising(ZeroDivisionError()))), [Keys()])


async def test_a_look_is_taken_once_whoever_gives_up() -> None:
    """One that waits with less patience does not end it for the others."""
    begun, go = 0, asyncio.Event()

    async def look() -> int:
        nonlocal begun
        begun += 1
        await go.wait()
        return begun

    once = Once(look)
    hasty = asyncio.ensure_future(once())
    await asyncio.sleep(0)
    hasty.cancel()
    patient = asyncio.ensure_future(once())
    go.set()
    assert await patient == 1 == await once()
    await once.aclose()


def test_a_report_tells_what_failed() -> None:
    """An end that is not reached is more than a failed check."""
    warned = DoctorReport("orders", (Finding("topic", Severity.WARNING, "one replica"),))
    failed = DoctorReport("orders", (*warned.findings, Finding("order", Severity.FAILED, "AUTO")))
    lost = DoctorReport("orders", (Finding("reachability", Severity.FAILED, "the sink is not reached"),))
    assert [bool(each.failed) for each in (warned, failed, lost)] == [False, True, True]
    assert [each.is_reached for each in (warned, failed, lost)] == [True, True, False]
    assert failed.to_json()["counts"] == {"ok": 0, "warning": 1, "failed": 1, "skipped": 0}
