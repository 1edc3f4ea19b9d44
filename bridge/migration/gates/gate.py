"""What a look came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gate:
    """What was measured. ``figures`` and ``missing`` are for people; ``missing`` says why it does not hold."""

    figures: tuple[str, ...] = ()
    missing: str = ""

    @property
    def holds(self) -> bool:
        return not self.missing
