"""Whether a checkpoint belongs to the stream and the topic that exist now."""

from checkpoints.base import Checkpoint
from connectors.base import GapError, Place, Sink, Source

_OTHER_SOURCE = "kmbridge checkpoints reset starts anew; on_gap: continue accepts the loss"
_REGROWN = (
    "stop the mirror and see that consumers have read to the end: kmbridge checkpoints accept takes the new number"
)
_OTHER_SINK = (
    "another configuration of this name may be at work; checkpoints reset mirrors all of it again; "
    "on_gap: continue goes on where the checkpoint stands"
)


def other_ends(name: str, checkpoint: Checkpoint, source: Source, sink: Sink) -> GapError | None:
    """A gap where the checkpoint of partition ``name`` was made with another stream or topic of the same name."""
    position = checkpoint.position or "the beginning"
    if not of_this_source(checkpoint, source):
        return GapError(
            f"resume {name}",
            f"the source was recreated or changed: it was {checkpoint.source}, and is {source.identity}",
            _REGROWN if source.is_regrown(checkpoint.source) else _OTHER_SOURCE,
            lost_from=position,
            lost_to="the beginning of the new one",
            resume=source.resumed(checkpoint.source, Place(checkpoint.position, checkpoint.watermark_ms)),
        )
    if not of_this_sink(checkpoint, sink):
        return GapError(
            f"resume {name}",
            f"the sink was recreated or changed: it was {checkpoint.sink}, and is {sink.identity}",
            _REGROWN if sink.is_regrown(checkpoint.sink) else _OTHER_SINK,
            lost_from="the beginning",
            lost_to=position,
            resume=Place(checkpoint.position, checkpoint.watermark_ms),
        )
    return None


def of_this_source(checkpoint: Checkpoint, source: Source) -> bool:
    """Whether positions and ends in ``checkpoint`` are those of ``source``, as far as both tell who they are."""
    return not _differ(checkpoint.source, source.identity)


def of_this_sink(checkpoint: Checkpoint, sink: Sink) -> bool:
    """Whether what ``checkpoint`` tells is in ``sink``, as far as both tell who they are."""
    return not _differ(checkpoint.sink, sink.identity)


def _differ(then: str, now: str) -> bool:
    return bool(then) and bool(now) and then != now
