"""The migration's document, kept beside the checkpoints of its mirror."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from bridge.errors import BridgeError
from bridge.migration.steps.step import Course
from checkpoints.documents import Documents

NAME = "cutover"
_FORMAT = 1
_OPERATION = "go on with the migration"


@dataclass(frozen=True, slots=True)
class Between:
    """The addresses of both sides: a migration belongs to them, whatever the configuration says later."""

    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.old} and {self.new}"


class Record:
    """Where the course is kept. Of two machines that go on with it at once one is refused.

    ``save`` goes upon what was loaded or saved last.
    """

    def __init__(self, documents: Documents, between: Between) -> None:
        self._documents = documents
        self._between = between
        self._version: int | None = None

    async def load(self) -> Course:
        """The course; a new one where there is none. Raises ``BridgeError`` and ``CheckpointError``."""
        found = await self._documents.load(NAME)
        self._version = None if found is None else found.version
        return Course() if found is None else self._read(found.text)

    async def save(self, course: Course) -> None:
        """Durable on return. Raises ``DocumentChangedError`` where another machine has saved meanwhile."""
        text = json.dumps({"format": _FORMAT, "between": asdict(self._between), **_written(course)})
        self._version = (await self._documents.save(NAME, text, self._version)).version

    def _read(self, text: str) -> Course:
        begun, course = read(text)
        if begun != self._between:
            raise BridgeError(
                _OPERATION,
                f"it was begun between {begun}; the configuration is of {self._between}",
                "use the configuration with which it was begun, or a mirror of another name",
            )
        return course


def read(text: str) -> tuple[Between, Course]:
    """What a saved record says. Raises ``BridgeError`` for one of a later version."""
    document: dict[str, Any] = json.loads(text)
    if document["format"] != _FORMAT:
        raise BridgeError(_OPERATION, f"its record has format {document['format']}", "use the newer kmbridge")
    course = Course(
        done=tuple(document["done"]),
        facts=document["facts"],
        tables=document["tables"],
        told=document["told"],
        is_finished=document["is_finished"],
    )
    return Between(**document["between"]), course


def _written(course: Course) -> dict[str, object]:
    return {
        "done": list(course.done),
        "facts": {step: dict(facts) for step, facts in course.facts.items()},
        "tables": dict(course.tables),
        "told": course.told,
        "is_finished": course.is_finished,
    }
