"""A mirror without checkpoints: a new one begins at its start, one whose checkpoints expired says so."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.engine.policy import OnGap, Policy
from bridge.engine.start import Start
from bridge.engine.totals import Totals
from checkpoints.base import Checkpoint
from connectors.base import GapError, Partition, Place, RefusedError

LISTING = (Partition("0"), Partition("1"))


class Beginning:
    """What a start works with: a store that forgets or not, and a sink that knows the source's records or not."""

    def __init__(self, *, forgets: bool, knows: bool, on_gap: OnGap = OnGap.STOP) -> None:
        self.stored: Mapping[str, Checkpoint] = {}
        self.begun: Mapping[str, Place] = {}
        self.totals = Totals()
        self.refuses = False
        self._forgets = forgets
        self._knows = knows
        around: Any = SimpleNamespace(
            source=SimpleNamespace(address="kafka:c:orders", start=self._places),
            destination=SimpleNamespace(address="kinesis:r:a:orders", knows=self._sample),
            delivery=None,
            policy=Policy(on_gap=on_gap),
            totals=self.totals,
        )
        keeping: Any = self
        self.start = Start(keeping, keeping, around)

    async def load(self) -> Mapping[str, Checkpoint]:
        return self.stored

    async def forgets(self) -> bool:
        return self._forgets

    async def begin(self, places: Mapping[str, Place], _: Any) -> Mapping[str, Checkpoint]:
        self.begun = places
        return {}

    async def _places(self, partitions: tuple[Partition, ...]) -> Mapping[str, Place]:
        return {partition.id: Place() for partition in partitions}

    async def _sample(self, source: str) -> bool:
        if self.refuses:
            raise RefusedError("GetRecords", "AccessDeniedException")
        return self._knows and source == "kafka:c:orders"


async def test_expired_checkpoints_are_a_named_gap() -> None:
    """The sink holds the source's records, the store may have lost its own: that is no new mirror."""
    beginning = Beginning(forgets=True, knows=True)
    with pytest.raises(GapError, match="checkpoints are gone"):
        await beginning.start.begin(LISTING, anew=False)
    assert not beginning.begun
    assert beginning.totals.gaps == 1


async def test_checkpoints_that_vanish_in_mid_run_are_a_named_gap() -> None:
    """Whatever the store and the sink say: this worker has seen them."""
    beginning = Beginning(forgets=False, knows=False)
    with pytest.raises(GapError, match="checkpoints are gone"):
        await beginning.start.begin(LISTING, anew=True)


async def test_an_accepted_gap_begins_at_the_start() -> None:
    """Counted, and then as a new mirror."""
    beginning = Beginning(forgets=True, knows=True, on_gap=OnGap.CONTINUE)
    await beginning.start.begin(LISTING, anew=False)
    assert set(beginning.begun) == {"0", "1"}
    assert beginning.totals.gaps == 1


@pytest.mark.parametrize(("forgets", "knows"), [(False, True), (True, False)])
async def test_a_new_mirror_begins_at_its_start(forgets: bool, knows: bool) -> None:  # noqa: FBT001
    """The store forgets nothing by itself, or has never been written for this source: nothing is missing."""
    beginning = Beginning(forgets=forgets, knows=knows)
    await beginning.start.begin(LISTING, anew=False)
    assert set(beginning.begun) == {"0", "1"}
    assert beginning.totals.gaps == 0


async def test_a_sink_that_may_not_be_read_holds_up_no_new_mirror() -> None:
    """Nobody can tell then, and the log says so."""
    beginning = Beginning(forgets=True, knows=True)
    beginning.refuses = True
    await beginning.start.begin(LISTING, anew=False)
    assert set(beginning.begun) == {"0", "1"}


async def test_where_checkpoints_are_nothing_is_begun() -> None:
    """Another worker may have been faster."""
    beginning = Beginning(forgets=True, knows=True)
    beginning.stored = {"0": Checkpoint("7", None, finished=False, saved_ms=1, source="", sink="")}
    assert await beginning.start.begin(LISTING, anew=False) == beginning.stored
    assert not beginning.begun
