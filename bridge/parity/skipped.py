"""Records that an operator let lanes pass: not in the sink by somebody's word, which the mirror's checkpoints keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.engine.identity import of_this_source
from bridge.parity.digest import rank
from checkpoints.base import Checkpoint, Gap
from connectors.base import Source


@dataclass(frozen=True, slots=True)
class Skipped:
    spans: Mapping[str, Sequence[range]] = field(default_factory=dict)
    """Of ranks, by partition of the source."""

    def covers(self, partition: str, position: str) -> bool:
        """Whether the record there is one of them."""
        spans = self.spans.get(partition)
        return spans is not None and any(rank(position) in span for span in spans)


def skipped(checkpoints: Mapping[str, Checkpoint], source: Source) -> Skipped:
    """What ``checkpoints`` tell of ``source``; one that was made with another tells nothing.

    A loss at the source itself is none of it: what it names may be a time, and no record is there to be missed.
    """
    ours = {name: each for name, each in checkpoints.items() if of_this_source(each, source)}
    return Skipped({name: [_span(gap) for gap in each.gaps if gap.records is not None] for name, each in ours.items()})


def _span(gap: Gap) -> range:
    last = gap.lost_to
    # A position that names an aggregate alone stands for all that is in it.
    return range(rank(gap.lost_from), rank(last) + 1 if "#" in last else rank(str(int(last) + 1)))
