"""What a seed decides before the first step."""

from dataclasses import dataclass
from random import Random

from connectors.base import Record

POISON = b"poison-"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A mirror's size, how it delivers, and what happens to its workers."""

    transactions: bool
    entries: bool
    """Records are written one by one, each key in order, others ahead: what had landed is read back."""
    grouped: bool
    """Workers share slots by a group. Without it there is one worker, and a store of its own."""
    workers: int
    slots: int
    shards: int
    keys: int
    records: int
    reshards: int
    strikes: int
    """Crashes, freezes, departures and whims of the group."""
    memory: int
    poison: float
    foresees: bool
    interval_s: float
    orders: int
    """What an operator tells lanes to do."""
    transforms: bool
    """Records are dropped, split and refused on their way."""

    @classmethod
    def drawn(cls, random: Random, apart: Random) -> "Scenario":
        """``apart`` decides what has no part in the rest of the story."""
        transactions, grouped = random.choice(((False, False), (False, True), (True, True), (True, True)))
        return cls(
            transactions=transactions,
            entries=not transactions and apart.random() < 0.6,
            grouped=grouped,
            workers=random.randint(1, 4) if grouped else 1,
            slots=random.choice((1, 2, 3, 7)),
            shards=random.randint(1, 4),
            keys=random.randint(1, 12),
            records=random.randint(20, 150),
            reshards=random.choice((0, 1, 3)),
            strikes=random.choice((0, 1, 4)),
            memory=random.choice((40, 400, 100_000)),
            poison=random.choice((0.0, 0.0, 0.05)),
            foresees=random.random() < 0.7,
            interval_s=random.choice((0.2, 0.5, 2.0)),
            orders=apart.choice((0, 0, 0, 2, 8)),
            transforms=apart.random() < 0.25,
        )


def refusal(record: Record) -> str | None:
    """Why the sink does not take ``record``."""
    return "poison" if (record.value or b"").startswith(POISON) else None
