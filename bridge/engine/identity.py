"""Whether a checkpoint belongs to the stream and the topic that exist now."""

from checkpoints.base import Checkpoint
from connectors.base import GapError, Place, Sink, Source

_HINT = "kmbridge checkpoints reset starts anew; on_gap: continue accepts the loss"


def other_ends(name: str, checkpoint: Checkpoint, source: Source, sink: Sink) -> GapError | None:
    """A gap where the checkpoint of partition ``name`` was made with another stream or topic of the same name."""
    position = checkpoint.position or "the beginning"
    if _differ(checkpoint.source, source.identity):
        return GapError(
            f"resume {name}",
            f"the source was recreated or changed: it was {checkpoint.source}, and is {source.identity}",
            _HINT,
            lost_from=position,
            lost_to="the beginning of the new one",
            resume=Place(),
        )
    if _differ(checkpoint.sink, sink.identity):
        return GapError(
            f"resume {name}",
            f"the sink was recreated or changed: it was {checkpoint.sink}, and is {sink.identity}",
            _HINT,
            lost_from="the beginning",
            lost_to=position,
            resume=Place(checkpoint.position, checkpoint.watermark_ms),
        )
    return None


def _differ(then: str, now: str) -> bool:
    return bool(then) and bool(now) and then != now
