"""What an operator decides about a mirror, as the engine needs it."""

from dataclasses import dataclass
from enum import StrEnum


class OnGap(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"
    """The gap is logged, counted and kept in the checkpoint."""


class OnError(StrEnum):
    STOP = "stop"
    DEAD_LETTER = "dead_letter"


class OnLoop(StrEnum):
    SKIP = "skip"
    PASS = "pass"  # noqa: S105
    """Also what was in the sink before is mirrored, as to restore a stream that was lost from its mirror."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All times in seconds, all sizes in bytes."""

    checkpoint_interval_s: float = 0.5
    """How often a scope is committed."""
    memory: int = 256 * 2**20
    on_gap: OnGap = OnGap.STOP
    on_error: OnError = OnError.STOP
    on_loop: OnLoop = OnLoop.SKIP
    provenance: bool = True
    """Send with every record where it comes from."""
    bounded: bool = False
    """Mirror what the bounds in the checkpoints hold and no more, and end with that."""
    replay: str | None = None
    """The id with which every record is marked as sent again on purpose; None: they are not."""
    drain_s: float = 20.0
    """How long a drain waits for records on their way into the sink, before what can be taken back is."""
    handover_s: float = 3.0
    """How long handing partitions over to another worker waits for the same."""
    withdrawn_s: float = 5.0
    """How long either waits on after that."""
    begin_s: float = 30.0
    """How long one attempt takes to find out, and store, where a new mirror starts."""
    store_s: float = 10.0
    """How long handing over waits for the last checkpoints to be stored."""
    follow_s: float = 1.0
    """How often is looked up what other workers have stored, while something here waits for it."""
    hold_s: float = 30.0
    """How often a lane that waits for a person looks again."""
    idle_checkpoint_s: float = 30.0
    """How often a watermark alone, with no record behind it, is saved."""
