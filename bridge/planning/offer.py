"""One way to have something, with what it costs in a month."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Part = Literal["capacity", "traffic", "storage", "network"]
"""What a line of a bill is for: being there, what goes in and out, what is kept, and ways between zones."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the bill."""

    part: Part
    what: str
    quantity: float
    """In a month."""
    unit: str
    rate: float
    """US dollars for a unit."""

    @property
    def cost(self) -> float:
        """US dollars a month."""
        return self.quantity * self.rate


@dataclass(frozen=True, slots=True)
class Offer:
    key: str
    """For programs, as ``kinesis_on_demand``."""
    title: str
    size: str
    """How much of it, for a person."""
    items: tuple[Item, ...]
    obstacle: str = ""
    """Why it does not do for this load; empty where it does."""

    @property
    def cost(self) -> float:
        """US dollars a month."""
        return sum(item.cost for item in self.items)

    def to_json(self) -> dict[str, object]:
        return {
            "key": self.key,
            "title": self.title,
            "size": self.size,
            "monthly_usd": round(self.cost, 2) if self.items else None,
            "obstacle": self.obstacle,
            "items": [
                {
                    "part": item.part,
                    "what": item.what,
                    "quantity": round(item.quantity, 4),
                    "unit": item.unit,
                    "rate_usd": item.rate,
                    "monthly_usd": round(item.cost, 2),
                }
                for item in self.items
            ],
        }


def cheapest(offers: Iterable[Offer]) -> Offer | None:
    """Of those that do; None where none does."""
    return min((each for each in offers if not each.obstacle), key=lambda each: each.cost, default=None)
