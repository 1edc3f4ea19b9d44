"""What a redrive has sent."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class RedriveReport:
    """``sent`` are durable in the sink, each at least once, and carry ``kmbridge-replay: id``."""

    id: str
    dead_letter: str
    """For a person; so is ``sink``."""
    sink: str
    sent: int
    refused: Mapping[str, int]
    """Buried again, by reason: they are the last letters now, and the next redrive tries them."""
    is_complete: bool
    """Whether all letters up to the end were read; the same command goes on."""
    seconds: float

    @property
    def was_nothing(self) -> bool:
        """Whether there was no letter to send."""
        return self.is_complete and not self.sent and not self.refused

    def to_json(self) -> dict[str, object]:
        """As ``kmbridge redrive --json`` prints it."""
        document = asdict(self)
        document["complete"] = document.pop("is_complete")
        return document
