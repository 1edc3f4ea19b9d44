"""Bugs where records are written one by one, other keys ahead: each is planted, and must be found."""

from collections.abc import Collection
from typing import Any

import pytest

from bridge.engine.ledger import Ledger
from bridge.engine.opening import Opening
from bridge.engine.progress import Progress
from bridge.engine.sieve import Landed
from connectors.memory.entries import EntryMemorySink
from tests.simulation.group import Member
from tests.simulation.invariants import ViolationError
from tests.simulation.life import simulate

_SEEDS = 400


def _live(first: int = 0) -> None:
    for seed in range(first, first + _SEEDS):
        simulate(seed)


def _find(first: int = 0) -> None:
    """Live through seeds until a record is there twice, or its re-run mingles with others."""
    with pytest.raises(ViolationError, match=r"times|overtook"):
        _live(first)


def test_finds_a_lane_that_does_not_ask_what_had_landed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes over sends what the one before had sent."""

    async def incurious(self: Opening, lanes: Collection[Any]) -> dict[str, Landed]:
        return {}

    monkeypatch.setattr(Opening, "_read_back", incurious)
    _find()


def test_finds_a_lane_that_writes_before_that_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint still says that its owner had left cleanly, and its successor does not look."""

    async def silent(self: Ledger, lanes: Collection[Any], delivery: object) -> None:
        return

    monkeypatch.setattr(Ledger, "announce", silent)
    _find()


def test_finds_a_lane_that_forgets_what_it_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves before it has passed what had landed, and calls that clean."""
    oldest = Progress._oldest_ms

    def forgetful(self: Progress) -> int | None:
        self.inherited_ms = None
        return oldest(self)

    monkeypatch.setattr(Progress, "_oldest_ms", forgetful)
    _find()


def test_finds_a_sink_that_forgets_what_landed_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a refusal its lanes go back, and send again what had overtaken the rest."""
    fail = EntryMemorySink._fail

    def forgetful(self: EntryMemorySink, *arguments: Any) -> None:
        fail(self, *arguments)
        self._landed.clear()

    monkeypatch.setattr(EntryMemorySink, "_fail", forgetful)
    _find()


def test_finds_a_worker_that_was_away_and_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen for longer than its session, it goes on with what is somebody else's."""

    async def sure(self: Member) -> None:
        return

    monkeypatch.setattr(Member, "confirm", sure)
    # It shows in one life of some 350; from here on in three of 400.
    _find(1900)
