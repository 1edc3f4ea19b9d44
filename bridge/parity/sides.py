"""What is compared, and by which rules."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bridge.parity.expected import Ends
from bridge.parity.reading import Reader, Side
from bridge.parity.skipped import Skipped
from connectors.transform import Transform

Letters = Callable[[Reader], Awaitable[None]]
"""Hands all that a dead letter holds to a reader, as often as it is asked for."""

SKIPPED = "skipped"
"""The reason with which records are counted that ``Parity.skipped`` tells of."""

DROPPED = "dropped"
"""Likewise, of records of which the mirror's transforms leave nothing."""


async def none_skipped() -> Skipped:
    """No operator let a lane pass anything."""
    return Skipped()


@dataclass(frozen=True, slots=True)
class Parity:
    source: Side
    sink: Side
    ends: Ends
    keys_overtake: bool
    """Whether a key may come before another in the sink that it came after at the source."""
    permits_copies: bool
    letters: Letters | None = None
    skipped: Callable[[], Awaitable[Skipped]] = none_skipped
    """What need not be in the sink by an operator's word; asked for once something differs."""
    transform: Transform | None = None
    """What the mirror makes of records, entered; None where it writes them as they are."""
