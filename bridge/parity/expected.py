"""What a mirror has to write of what its source holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.engine.window import Window, origins_of
from bridge.errors import BridgeError
from bridge.parity.digest import content
from bridge.parity.remembered import Remembered
from bridge.parity.run import Run, Transformed
from connectors import provenance
from connectors.base import REPLAY_HEADER, Batch, Place

LOOP = "loop"
REPLAYED = "replayed"
DUPLICATE = "duplicate"
_REMEMBERED = 262_144
"""Of single records, of each sort."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The addresses of both, and what becomes of records that were in the sink before they came to the source."""

    source: str
    sink: str
    passes_loops: bool = False
    """Whether they are mirrored all the same."""
    is_shared: bool = False
    """Whether others write to the sink too, whose records are no concern of this comparison."""
    judges_natives: bool = True
    """Whether a record that nobody brought to the sink has to stand at the source, as one that came from there."""
    is_partial: bool = False
    """Whether only some of the source's partitions are compared: of what does not come from them nothing is said."""
    repeats: bool = False
    """Whether the source may hold a record twice, of which a mirror writes the first."""
    is_transformed: bool = False
    """Whether the mirror makes others of the source's records: what they hold is not compared then."""

    @property
    def run(self) -> type[Run]:
        """What either side is read as."""
        return Transformed if self.is_transformed else Run


@dataclass(slots=True)
class LeftOut:
    """Records at the source that the sink need not hold."""

    returned: Remembered
    """Of those that came from the sink, where they stand there."""
    copies: Remembered
    """Where second copies stand."""
    reasons: Counter[str] = field(default_factory=Counter)


class Expected:
    """Reads along at the source, each partition in order, parents before children."""

    def __init__(self, ends: Ends, windows: Mapping[str, str] | None = None) -> None:
        """``windows`` are those of an earlier reading, behind which this one goes on."""
        self.left_out = LeftOut(Remembered(_REMEMBERED), Remembered(_REMEMBERED))
        self._ends = ends
        self._windows: dict[str, Window] = {}
        self.texts: dict[str, str] = dict(windows or {})
        """The windows of what is read to where it is to be read, by partition."""

    def begin(self, partition: str, parents: Sequence[str]) -> None:
        """``partition`` is read next; what of ``parents`` is read at all is read to its end."""
        if self._ends.repeats:
            before = [partition] if partition in self.texts else parents
            self._windows[partition] = Window([self.texts[name] for name in before if name in self.texts])

    def run(self, batch: Batch) -> Run:
        """What of ``batch`` the sink has to hold."""
        headers = None if batch.headers is None else list(map(content, batch.headers))
        name, positions = batch.partition, batch.positions
        run = self._ends.run(name, name, positions, positions, batch.keys, batch.values, headers)
        if headers is None:
            return run
        left_out = self._left_out(batch)
        return run.pick([index for index in range(len(run)) if index not in left_out]) if left_out else run

    def end(self, partition: str, place: Place) -> None:
        """``partition`` is read, up to ``place``."""
        if (window := self._windows.pop(partition, None)) is not None:
            self.texts[partition] = window.text(place)

    def _left_out(self, batch: Batch) -> set[int]:
        assert batch.headers is not None  # noqa: S101 - asked for batches that have some
        loops = set() if self._ends.passes_loops else set(provenance.looped(batch, self._ends.source, self._ends.sink))
        replayed = {
            index
            for index, headers in enumerate(batch.headers)
            if any(name == REPLAY_HEADER for name, _ in headers) and index not in loops
        }
        copies = self._copies(batch) - loops - replayed
        found = self.left_out
        found.reasons.update({LOOP: len(loops), REPLAYED: len(replayed), DUPLICATE: len(copies)})
        found.copies.update((batch.partition, batch.positions[index]) for index in copies)
        if not found.copies.is_complete:
            raise BridgeError(
                f"compare {self._ends.source}",
                f"the range holds more than {len(found.copies):,} second copies: too many to tell them apart again",
                "compare it in parts, with --from and --until",
            )
        for index in loops:
            hops = provenance.way(batch.headers[index], self._ends.source)
            found.returned.update((hop.partition, hop.position) for hop in hops if hop.source == self._ends.sink)
        return loops | replayed | copies

    def _copies(self, batch: Batch) -> set[int]:
        """Second copies, told as a mirror tells them: by origin and time, among the last that were read."""
        window = self._windows.get(batch.partition)
        if window is None:
            return set()
        origins = origins_of(batch, self._ends.source)
        repeated = window.repeated(origins)
        window.read(batch.place, origins)
        window.settle(batch.place)
        return set(repeated)
