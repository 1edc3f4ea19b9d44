"""Where a migration stands, for those who look at its mirror: as it was saved, not as it would be measured."""

from collections.abc import Mapping

import structlog

from bridge.errors import BridgeError
from bridge.migration.cutover.record import NAME, read
from bridge.migration.cutover.report import StepState
from bridge.migration.steps.path import STEPS
from bridge.migration.steps.step import Course
from checkpoints.base import CheckpointError
from checkpoints.documents import Documents
from connectors.base import Clock, ConnectorError

EVERY_S = 30.0

log = structlog.get_logger(__name__)


class CutoverWatch:
    """Looks now and then. What it cannot read is left as it was: the mirror does not depend on it."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        """``documents`` are entered while it runs."""
        self._documents = documents
        self._clock = clock
        self._told: Mapping[str, object] | None = None

    def told(self) -> Mapping[str, object] | None:
        """What was saved last, as JSON has it; None where no migration was begun, or that is not known yet."""
        return self._told

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._look()
            await self._clock.sleep(EVERY_S)

    async def _look(self) -> None:
        try:
            found = await self._documents.load(NAME)
            self._told = None if found is None else _told(read(found.text)[1])
        except (BridgeError, CheckpointError, ConnectorError) as error:
            log.debug("where the migration stands cannot be read", error=str(error))


def _told(course: Course) -> Mapping[str, object]:
    following = next((step.name for step in STEPS if step.name not in course.done), None)
    return {
        "steps": [
            {"name": step.name, "title": step.title, "state": _state(step.name, course, following)} for step in STEPS
        ],
        "told": course.told,
        "is_finished": course.is_finished,
    }


def _state(step: str, course: Course, following: str | None) -> str:
    if step in course.done:
        return StepState.DONE
    return StepState.NEXT if step == following else StepState.LATER
