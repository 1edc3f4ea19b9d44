"""What a migration needs before it begins."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    holds: bool
    reason: str
    remedy: str = ""
