"""What is told of a migration."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from bridge.migration.gates.gate import Gate
from bridge.migration.steps.step import Step


class StepState(StrEnum):
    DONE = "done"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step. ``holds`` is what its gate says now; None where that was not measured."""

    name: str
    title: str
    state: StepState
    holds: bool | None
    figures: tuple[str, ...]
    missing: str
    task: str
    """What people do for it."""

    @classmethod
    def of(cls, step: Step, state: StepState, gate: Gate | None, task: str) -> "StepReport":
        if gate is None:
            return cls(step.name, step.title, state, None, (), "", task)
        return cls(step.name, step.title, state, gate.holds, gate.figures, gate.missing, task)


@dataclass(frozen=True, slots=True)
class CutoverReport:
    """All steps, in their order."""

    mirror: str
    old: str
    new: str
    steps: tuple[StepReport, ...]
    told: str
    """What the last command that changed anything left to people."""
    is_finished: bool

    @property
    def next(self) -> StepReport | None:
        return next((each for each in self.steps if each.state is StepState.NEXT), None)

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Move:
    """What one command came to. Where something is ``missing`` the migration is where it was, and ``task`` is what
    people do about it; else ``task`` is what they do next.
    """

    command: str
    step: str
    title: str
    figures: tuple[str, ...]
    missing: str
    task: str
    following: str
    """The step that comes next; empty behind the last one."""

    @classmethod
    def refused(cls, command: str, step: Step, gate: Gate, task: str) -> "Move":
        return cls(command, step.name, step.title, gate.figures, gate.missing, task, step.name)

    @classmethod
    def made(cls, command: str, step: Step, gate: Gate, task: str, following: str) -> "Move":
        return cls(command, step.name, step.title, gate.figures, gate.missing, task, following)

    @property
    def is_done(self) -> bool:
        return not self.missing

    def to_json(self) -> Mapping[str, object]:
        return {**asdict(self), "is_done": self.is_done}
