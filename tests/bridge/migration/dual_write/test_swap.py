"""Roles that change hands while records are being sent."""

import asyncio

import pytest

from bridge.migration.dual_write import SwapError
from connectors.base import UnreachableError
from tests.bridge.migration.dual_write.conftest import Pair, by_key, send_all, series


async def test_roles_are_exchanged_and_both_ends_hold_the_same(pair: Pair) -> None:
    """Whoever sends meanwhile waits for some moments, and each key stays in order at both ends."""
    sent = series(400)
    async with pair.writer() as writer:
        before = asyncio.gather(send_all(writer, sent[:200]), writer.swap())
        await before
        written = (await send_all(writer, sent[200:]))[0]
        counts = writer.counts()
    assert (counts.authority, counts.shadow, counts.swaps) == ("memory:shadow", "memory:authority", 1)
    assert written.place in {f"{record.partition}/{record.position}" for record in pair.shadow.records}
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == by_key(sent)


async def test_roles_outlive_the_writer(pair: Pair) -> None:
    """After a swap the spool's roles count, whatever the settings say."""
    async with pair.writer() as writer:
        await writer.swap()
    pair.authority.is_away = True
    async with pair.writer() as writer:
        await writer.send(b"key", b"value")
        assert (writer.counts().authority, writer.counts().swaps) == ("memory:shadow", 1)
        pair.authority.is_away = False
    assert len(pair.authority.records) == len(pair.shadow.records) == 1


async def test_a_shadow_that_is_behind_is_not_made_the_authority(pair: Pair) -> None:
    """The swap is refused in time, and the writer goes on in its roles."""
    pair.shadow.open.clear()
    async with pair.writer() as writer:
        await writer.send(b"key", b"1")
        with pytest.raises(SwapError, match="not even"):
            await writer.swap(pause_s=0.05)
        await writer.send(b"key", b"2")
        assert (writer.counts().authority, writer.counts().swaps) == ("memory:authority", 0)
        pair.shadow.open.set()
    assert pair.shadow.values_by_key() == {b"key": [b"1", b"2"]}


async def test_a_shadow_that_is_away_is_not_made_the_authority(pair: Pair) -> None:
    """The swap raises what entering it raises."""
    pair.shadow.is_away = True
    async with pair.writer(close_s=0.05) as writer:
        with pytest.raises(UnreachableError):
            await writer.swap()
        await writer.send(b"key", b"1")
    assert len(pair.authority.records) == 1


async def test_swapped_there_and_back(pair: Pair) -> None:
    """Any number of times, with records between."""
    sent = series(60)
    async with pair.writer() as writer:
        for part in range(0, 60, 10):
            await asyncio.gather(send_all(writer, sent[part : part + 10]), writer.swap())
        assert writer.counts().authority == "memory:authority"
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == by_key(sent)


async def test_a_cancelled_swap_ends_in_one_state(pair: Pair) -> None:
    """The file says what the process does: the next life finds the same roles, and nothing is missing."""
    for _ in range(6):
        sent = series(20)
        async with pair.writer() as writer:
            swapping = asyncio.create_task(writer.swap())
            await asyncio.gather(send_all(writer, sent[:10]), asyncio.sleep(0))
            swapping.cancel()
            await asyncio.gather(swapping, return_exceptions=True)
            await send_all(writer, sent[10:])
            roles = writer.counts().authority
        async with pair.writer() as writer:
            assert writer.counts().authority == roles
    assert pair.authority.values_by_key() == pair.shadow.values_by_key()
