"""An order to one lane, and the answer, as they travel: over HTTP, and from a supervisor to its worker and back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Action(StrEnum):
    """What a lane can be told. What each means is said at ``bridge.engine.orders.Orders``."""

    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Order:
    """To the lane of one partition."""

    action: Action
    partition: str
    who: str
    """Who gave it, for people: nobody has proved it."""
    until: str | None = None
    """How far to skip, as a person writes it."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not mirrored, both ends included."""

    lost_from: str
    lost_to: str
    records: int | None
    """How many; None where nobody can tell."""
    origin: str | None
    """Of a single record, as provenance writes it."""
    cause: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order. Positions are where the lane stood, and where it goes on behind."""

    state: str
    before: str | None
    after: str | None
    is_kept: bool
    """Whether it is stored, so that a restart knows it; else it will be as soon as checkpoints can be saved."""
    skipped: Skipped | None = None


class Control(Protocol):
    """Carries orders out."""

    async def carry_out(self, order: Order) -> Answer:
        """Returns once it is done and, if that is soon, stored.

        Raises ``OrderError`` where it cannot be done as things are (``UnknownLaneError``: the lane is not here), and
        ``UsageError`` or ``SettingsError`` for an order that makes no sense.
        """
