"""Bugs where one record becomes several: each is planted, and must be found."""

import pytest

from bridge.engine.crossing import Crossing
from bridge.engine.sieve import Sieve
from connectors.base import Batch
from tests.simulation.invariants import ViolationError
from tests.simulation.life import simulate

_SEEDS = 400


def _live(first: int) -> None:
    for seed in range(first, first + _SEEDS):
        simulate(seed)


def _find(first: int = 0) -> None:
    with pytest.raises(ViolationError):
        _live(first)


def test_finds_parts_that_are_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a split record of which the first part had landed the others are taken for written."""
    monkeypatch.setattr(Batch, "identities", property(lambda self: self.positions))
    _find()


def test_finds_a_record_that_is_refused_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The source record is buried, and its other parts are written all the same."""

    def partly(self: Crossing) -> Batch:
        positions = self.read.positions
        refused = {positions[each.index] for each in self.refused}
        kept = [index for index, each in enumerate(self.made.positions) if each not in refused]
        firsts = [self.made.positions.index(each) for each in refused if each in self.made.positions]
        return self.made.pick(sorted({*kept, *firsts}))

    monkeypatch.setattr(Crossing, "sent", partly)
    _find()


def test_finds_a_lane_that_asks_what_had_landed_before_it_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first part stands for all of them."""
    sift, strain = Sieve.sift, Sieve.strain
    monkeypatch.setattr(Sieve, "sift", lambda self, batch: strain(self, sift(self, batch)))
    monkeypatch.setattr(Sieve, "strain", lambda self, batch: batch)
    # Few lives come to that.
    _find(750)
