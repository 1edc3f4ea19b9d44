"""Silence on a side is told only where all that may be there can be seen."""

from collections.abc import Sequence

import pytest

from bridge.migration.gates.scene import Side
from bridge.migration.gates.silence import silent, silent_for
from bridge.migration.measures.hidden import Hidden
from tests.bridge.migration.cutover.world import FakeScene, World


class Veiled(FakeScene):
    """Nobody produces; what is hidden is what ``looks`` say, the last of them from then on."""

    def __init__(self, *looks: Sequence[Hidden]) -> None:
        super().__init__(World(producers=set()))
        self._looks = list(looks)
        self.waited_s: list[float] = []

    async def wait(self, seconds: float) -> None:
        self.waited_s.append(seconds)

    async def hidden(self, side: Side) -> Sequence[Hidden]:
        return self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]


@pytest.mark.parametrize("side", Side)
async def test_a_side_is_not_silent_where_a_transaction_hangs(side: Side) -> None:
    """However often it is looked at, its readers see nothing: place and remedy are told."""
    scene = Veiled([Hidden("3", 17, 20)])
    found = await silent(scene, side, await scene.ends(side))
    assert not found.holds
    assert found.missing == (
        f"{side}: an open transaction hides records of partition 3 from offset 17 on: end it, or wait for its timeout"
    )
    assert not (await silent_for(scene, side, 60)).holds


async def test_a_transaction_that_hangs_behind_ended_ones_is_not_overlooked() -> None:
    """Readers come further, but not to the end that the topic had at the first look."""
    scene = Veiled([Hidden("0", 3, 20), Hidden("1", 0, 5)], [Hidden("0", 17, 40)])
    found = await silent(scene, Side.NEW, await scene.ends(Side.NEW))
    assert "partition 0 from offset 17 on:" in found.missing


async def test_transactions_that_come_and_go_do_not_hold_a_gate_up() -> None:
    """A mirror always has one open: what one hid is to be seen a moment later, and then the next one hides more."""
    scene = Veiled(*([Hidden("0", start, start + 4)] for start in range(0, 40, 4)))
    assert (await silent(scene, Side.NEW, await scene.ends(Side.NEW))).holds
    assert len(scene.waited_s) == 1


async def test_what_a_transaction_hid_is_counted_once_it_has_ended() -> None:
    """Arrivals are looked at behind the transactions, and not before."""
    scene = Veiled([Hidden("0", 10, 11)], [])
    ends = await scene.ends(Side.OLD)

    async def wait(seconds: float) -> None:
        scene.world.native[Side.OLD] += 1

    scene.wait = wait  # type: ignore[method-assign]
    found = await silent(scene, Side.OLD, ends)
    assert "producers still write to old" in found.missing
