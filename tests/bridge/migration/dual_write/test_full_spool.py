"""What a full spool does to either end."""

import asyncio
from pathlib import Path

import pytest

from bridge.migration.dual_write import DualWriter, DualWriteSettings, SwapError, WhenFull
from bridge.migration.dual_write.admission import Admission
from bridge.migration.dual_write.counts import Tally
from bridge.migration.dual_write.intent import Intent
from bridge.migration.dual_write.journal_file import Opened, Roles
from bridge.migration.dual_write.room import Room
from bridge.migration.dual_write.stretch import Stretch
from connectors.base import Clock
from tests.bridge.migration.dual_write.conftest import Pair, by_key, send_all, series
from tests.bridge.migration.dual_write.memory_end import MemoryEnd
from tests.support.waiting import eventually

EMPTY = Opened("orders-1", Roles("one", "other"), 1, None, {}, 0, 0, 0, 0, 0)
"""A spool that was made just now."""


@pytest.mark.parametrize("when_full", list(WhenFull))
@pytest.mark.parametrize("bound", [{"spool_records": 20}, {"spool_bytes": 700}])
async def test_the_authority_goes_on(pair: Pair, when_full: WhenFull, bound: dict[str, int]) -> None:
    """A shadow that hangs and a spool that is full delay it by no more than the bound, and lose nothing of it."""
    pair.shadow.open.clear()
    sent = series(200)
    async with pair.writer(when_full=when_full, wait_s=0.2, close_s=0.05, **bound) as writer:
        for key, value in sent:
            async with asyncio.timeout(30):
                await writer.send(key, value)
        counts = writer.counts()
    assert pair.authority.values_by_key() == by_key(sent)
    assert counts.spool_records <= 20 if "spool_records" in bound else counts.spool_bytes <= 700
    assert counts.shadow_skipped == len(sent) - counts.spool_records > 0


async def test_a_shadow_that_is_cut_off_keeps_what_it_had(pair: Pair) -> None:
    """It gets what the spool holds and nothing newer, also after a restart: of each key the first records."""
    pair.shadow.open.clear()
    sent = series(100)
    async with pair.writer(spool_records=20, wait_s=0.0, close_s=0.05) as writer:
        for key, value in sent[:60]:
            await writer.send(key, value)
        assert writer.counts().is_blocked
    pair.shadow.open.set()
    async with pair.writer(spool_records=20) as writer:
        await eventually(lambda: writer.counts().spool_records == 0, "drained")
        await send_all(writer, sent[60:])
        assert (writer.counts().is_blocked, writer.counts().shadow_skipped) == (True, 40)
    assert pair.authority.values_by_key() == by_key(sent)
    assert pair.shadow.values_by_key() == by_key(sent[:20])


async def test_room_that_comes_in_time_is_waited_for(pair: Pair) -> None:
    """Nothing is given up where the shadow is only slow."""
    pair.shadow.open.clear()
    sent = series(100)
    async with pair.writer(spool_records=20, wait_s=60.0) as writer:
        sending = asyncio.gather(*(_one_by_one(writer, sent[key::5]) for key in range(5)))
        await eventually(lambda: writer.counts().spool_records == 20, "full")
        pair.shadow.open.set()
        await sending
        assert (writer.counts().is_blocked, writer.counts().shadow_skipped) == (False, 0)
    assert pair.shadow.values_by_key() == by_key(sent)


async def test_no_record_is_held_up_for_longer_than_the_bound() -> None:
    """The waits of a record are added up, also those while it was still in the queue."""
    ends = (MemoryEnd("authority"), MemoryEnd("shadow"))
    settings = DualWriteSettings("orders", *ends, Path("spool"), spool_records=1, wait_s=60.0)
    room = Room(1, 1_000)
    room.take(1, 10, 0)
    admission = Admission(settings, EMPTY, room, Clock(), Tally())
    admission.held_s = 100.0
    stretch = Stretch([2], [b"key"], [b"value"], [0], [()])
    waiting = asyncio.create_task(admission.admit(stretch, held_s=90.0))
    await asyncio.sleep(0)
    room.give_back(Intent(1, 1, 10, 0, None))
    assert (await waiting).kept == stretch
    room.take(1, 10, 0)
    async with asyncio.timeout(30):
        admitted = await admission.admit(stretch, held_s=30.0)
    assert (admitted.kept, admitted.blocked_since) == (None, 2)


async def test_broken_keys_get_nothing_newer_and_others_go_on(pair: Pair) -> None:
    """No key has a hole: of a broken one the shadow holds the first records, of the others all."""
    pair.shadow.open.clear()
    async with pair.writer(spool_records=20, when_full=WhenFull.BREAK_KEYS, close_s=0.05) as writer:
        first = series(20)
        for key, value in first:
            await writer.send(key, value)
        lost = [(b"key-0", b"lost"), (b"key-1", b"lost")]
        for key, value in lost:
            await writer.send(key, value)
        assert writer.counts().broken_keys == 2
    pair.shadow.open.set()
    async with pair.writer(spool_records=20, when_full=WhenFull.BREAK_KEYS) as writer:
        await eventually(lambda: writer.counts().spool_records == 0, "drained")
        second = series(20, first=100)
        await send_all(writer, second)
        assert (writer.counts().broken_keys, writer.counts().shadow_skipped) == (2, 8)
    assert pair.authority.values_by_key() == by_key([*first, *lost, *second])
    whole = [(key, value) for key, value in second if key not in (b"key-0", b"key-1")]
    assert pair.shadow.values_by_key() == by_key(first + whole)


async def test_too_many_broken_keys_cut_the_shadow_off(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to be remembered is bounded."""
    monkeypatch.setattr("bridge.migration.dual_write.admission.MOST_BROKEN", 3)
    pair.shadow.open.clear()
    async with pair.writer(spool_records=1, when_full=WhenFull.BREAK_KEYS, close_s=0.05) as writer:
        for key, value in series(10, keys=10):
            await writer.send(key, value)
        assert writer.counts().is_blocked


async def test_mended_keys_follow_again(pair: Pair) -> None:
    """From the next record on; a swap is refused before that, for the shadow is not whole."""
    pair.shadow.open.clear()
    async with pair.writer(spool_records=1, wait_s=0.0) as writer:
        await writer.send(b"key", b"1")
        await writer.send(b"key", b"2")
        with pytest.raises(SwapError, match="cut off"):
            await writer.swap()
        pair.shadow.open.set()
        await eventually(lambda: writer.counts().spool_records == 0, "drained")
        await writer.mend()
        await writer.send(b"key", b"3")
    assert pair.shadow.values_by_key() == {b"key": [b"1", b"3"]}
    async with pair.writer() as writer:
        assert not writer.counts().is_blocked


async def _one_by_one(writer: DualWriter, sent: list[tuple[bytes, bytes]]) -> None:
    for key, value in sent:
        await writer.send(key, value)
