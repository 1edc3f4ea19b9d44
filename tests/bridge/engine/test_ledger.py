"""Which places are stored, beside transactions whose outcome comes later."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.engine.ledger import Ledger
from bridge.engine.policy import Policy
from bridge.engine.progress import Progress
from checkpoints.base import Checkpoint
from connectors.base import Batch, Place, TransientError


class Keeping:
    """A ledger of the one lane L, and what it has stored."""

    def __init__(self, stored: Place) -> None:
        self.now_ms = 100_000
        self.saved: list[dict[str, Place]] = []
        saved_ms = self.now_ms - 1000
        checkpoint = Checkpoint(
            stored.position, stored.watermark_ms, finished=False, saved_ms=saved_ms, source="x", sink="x"
        )
        self.progress = Progress(stored, checkpoint)
        self.lanes: dict[str, Any] = {
            "L": SimpleNamespace(
                progress=self.progress,
                partition=SimpleNamespace(id="L"),
                sieve=SimpleNamespace(window=lambda place: ""),
                is_foreign=False,
            ),
        }
        end: Any = SimpleNamespace(identity="x", now_ms=lambda: None, stored=lambda places: None)
        clock: Any = SimpleNamespace(now_ms=lambda: self.now_ms, monotonic=lambda: self.now_ms / 1000)
        store: Any = self
        self.ledger = Ledger(store, end, end, self.lanes, Policy(), clock)

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        self.saved.append({name: Place(each.position, each.watermark_ms) for name, each in checkpoints.items()})

    def read(self, place: Place) -> Batch:
        batch = Batch("L", place, [str(place.position)], [b"k"], [b"v"], [0])
        self.progress.read(batch)
        return batch


async def test_a_place_behind_what_a_pending_commit_covers_is_not_stored_after_it() -> None:
    """A lane that was stopped while its commit hung went back in memory; the commit may succeed all the same."""
    keeping = Keeping(Place("0", 1000))
    keeping.progress.place = Place("0", 2000)
    keeping.read(Place("1", 3000))
    await keeping.ledger.save({"L": Place("1", 3000)})
    keeping.now_ms += 60_000
    keeping.progress.rewind()
    await keeping.ledger.save({})
    assert keeping.saved == [{"L": Place("1", 3000)}]


async def test_a_lane_whose_answers_are_not_settled_yet_is_not_stored_where_it_stood_before() -> None:
    """Between a commit and the moment at which the lane has heard of it, its place in memory is the older one."""
    keeping = Keeping(Place("0", 1000))
    batch = keeping.read(Place("1", 3000))
    await keeping.ledger.save({"L": Place("1", 3000)})
    keeping.ledger.confirm()
    assert not keeping.ledger.has_moved()
    await keeping.ledger.save({})
    keeping.progress.settle(batch, 1)
    keeping.progress.finished = True
    assert keeping.ledger.has_moved()
    assert keeping.saved == [{"L": Place("1", 3000)}]


async def test_a_lane_that_goes_back_after_a_commit_goes_back_to_what_it_covered() -> None:
    """What is committed is not sent again because something behind it failed."""
    keeping = Keeping(Place("0", 1000))
    keeping.read(Place("1", 3000))
    await keeping.ledger.save({"L": Place("1", 3000)})
    keeping.ledger.confirm()
    keeping.progress.rewind()
    assert keeping.progress.place == Place("1", 3000)


async def test_what_a_lane_sent_that_is_given_up_cannot_be_committed_without_its_checkpoint() -> None:
    """The commit is refused instead: others mirror that lane by now."""
    keeping = Keeping(Place("0", 1000))
    with pytest.raises(TransientError, match="M given up"):
        await keeping.ledger.save({"M": Place("1", 3000)})
    assert keeping.saved == []
