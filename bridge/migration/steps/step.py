"""What a step of a migration is."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from bridge.migration.gates.gate import Gate
from bridge.migration.gates.scene import Scene
from bridge.migration.measures.ends import Ends, read

Facts = Mapping[str, object]
"""What a step has to remember, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Course:
    """How far a migration is: what its steps remember of each other, and nothing that can be measured again."""

    done: tuple[str, ...] = ()
    """The steps whose gates have held, in their order."""
    facts: Mapping[str, Facts] = field(default_factory=dict)
    """By step."""
    tables: Mapping[str, str] = field(default_factory=dict)
    """The lease table that was made last for an application, by the name that the configuration has for it."""
    told: str = ""
    """What the last command that changed anything left to people."""
    is_finished: bool = False

    def remembering(self, step: str, facts: Facts) -> "Course":
        return replace(self, facts={**self.facts, step: facts})

    def of(self, step: str) -> Facts:
        """What ``step`` remembers; empty where that is nothing."""
        return self.facts.get(step, {})

    def ends(self, step: str, name: str) -> Ends:
        """Ends that ``step`` has recorded under ``name``. Raises ``KeyError`` where it has not, yet."""
        document = self.of(step)[name]
        assert isinstance(document, dict)  # noqa: S101 - as it was written
        return read(document)


class Step(ABC):
    """One step, forward and back. Everything here may be repeated, also after a crash in its midst.

    Forward: ``ready``, then ``act`` once, then ``gate``. Back, which makes the step before it the last one again:
    ``ready_back``, then ``undo``. What they raise ends the command, and changes nothing.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    """What is so when it is done, for a person."""
    back_to: ClassVar[str] = ""
    """The step that comes next once this one is undone; empty: this one."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def task(self, course: Course) -> str:
        """What people do for it; empty where there is nothing."""
        return ""

    def task_back(self, course: Course) -> str:
        """What people do before it is undone."""
        return ""

    def left_back(self, course: Course) -> str:
        """What is left to people once it is undone."""
        return ""

    async def ready(self, course: Course) -> Gate:
        """Whether it may act."""
        return Gate()

    async def act(self, course: Course) -> Course:
        """What the command does itself. Called anew by each attempt, unless ``course`` says that it was done."""
        return course

    async def gate(self, course: Course) -> Gate:
        """Whether it is done."""
        return Gate()

    async def look(self, course: Course) -> Gate | None:
        """What can be told of ``ready`` or ``gate`` now, within some seconds; None: it shows when its turn comes."""
        return await self.gate(course)

    async def ready_back(self, course: Course) -> Gate:
        """Whether it may be undone."""
        return Gate()

    async def undo(self, course: Course) -> Course:
        """What the command undoes itself; what the step remembers is forgotten behind it."""
        return course
