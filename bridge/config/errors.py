"""Mistakes of a configuration, each with the place where it was made."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import UsageError


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. ``where`` is for a person: ``orders.yaml:7``, ``--set sink.kafka.topic``, ``source URL``."""

    where: str
    key: str
    """The path of the key, with dots; empty where the document as a whole is at fault."""
    message: str
    """What was found and what is allowed."""
    line: int | None = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


class ConfigurationError(UsageError):
    """Everything that is wrong with one configuration, at least one problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("read the configuration", "\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return self.cause
