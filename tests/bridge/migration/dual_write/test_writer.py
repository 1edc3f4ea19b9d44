"""What a dual writer promises to an application, whatever its ends do."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.migration.dual_write import (
    ClosedError,
    DualWriter,
    RejectedError,
    SpoolBusyError,
    SpoolError,
    SpoolFormatError,
    journal_file,
)
from bridge.migration.dual_write.journal_file import Change
from connectors.base import DUAL_WRITE_HEADER, RefusedError, SettingsError, UnreachableError
from tests.bridge.migration.dual_write.conftest import Pair, by_key, send_all, series
from tests.bridge.migration.dual_write.memory_end import MemoryEnd
from tests.support.waiting import eventually


async def test_send_returns_with_the_place_at_the_authority(pair: Pair) -> None:
    """The record stands there, under the id that was returned, and the shadow holds it under the same."""
    async with pair.writer() as writer:
        written = await writer.send(b"key", b"value", headers=[("trace", b"1")], timestamp_ms=1234)
    (record,) = pair.authority.records
    assert (record.key, record.value, record.timestamp_ms) == (b"key", b"value", 1234)
    assert written.place == f"{record.partition}/{record.position}"
    assert record.headers == (("trace", b"1"), (DUAL_WRITE_HEADER, written.id.encode()))
    assert [copy.headers for copy in pair.shadow.records] == [record.headers]


async def test_records_of_a_key_stand_in_the_order_of_the_calls(pair: Pair) -> None:
    """At both ends, however many calls are under way."""
    sent = series(3_000)
    async with pair.writer() as writer:
        await send_all(writer, sent)
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == by_key(sent)


async def test_a_shadow_that_is_away_delays_nothing(pair: Pair) -> None:
    """Records are sent meanwhile, and it gets them when it is back."""
    pair.shadow.is_away = True
    sent = series(50)
    async with pair.writer() as writer:
        await send_all(writer, sent)
        assert writer.counts().spool_records == len(sent)
        await eventually(lambda: "it is away" in writer.counts().shadow_trouble, "the trouble is told")
        pair.shadow.is_away = False
        await eventually(lambda: writer.counts().spool_records == 0, "the shadow has caught up")
        assert writer.counts().shadow_trouble == ""
    assert pair.shadow.values_by_key() == by_key(sent)


async def test_a_shadow_that_hangs_delays_nothing(pair: Pair) -> None:
    """Leaving waits for it as long as it was told to; what it misses is in the spool for the next start."""
    pair.shadow.open.clear()
    sent = series(50)
    async with pair.writer(close_s=0.05) as writer:
        await send_all(writer, sent)
    assert pair.shadow.records == []
    pair.shadow.open.set()
    async with pair.writer() as writer:
        assert writer.counts().spool_records == len(sent)
    assert pair.shadow.values_by_key() == by_key(sent)


async def test_what_was_missed_comes_before_newer_records_of_its_key(pair: Pair) -> None:
    """While the spool drains, new records of the same keys queue up behind it."""
    pair.shadow.open.clear()
    first, second = series(500, keys=2), series(500, keys=2, first=500)
    async with pair.writer(close_s=0.05) as writer:
        await send_all(writer, first)
    async with pair.writer() as writer:
        pair.shadow.open.set()
        await send_all(writer, second)
    assert pair.shadow.values_by_key() == by_key(first + second)


async def test_more_than_memory_holds_is_read_from_the_file(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shadow far behind gets everything in order, with what is sent while it catches up."""
    monkeypatch.setattr("bridge.migration.dual_write.owed.MEMORY", 2_000)
    monkeypatch.setattr("bridge.migration.dual_write.owed.CHUNK", 1_000)
    pair.shadow.open.clear()
    sent = series(2_000, keys=3)
    async with pair.writer() as writer:
        for part in range(0, 1_500, 50):
            await send_all(writer, sent[part : part + 50])
        pair.shadow.open.set()
        for part in range(1_500, 2_000, 50):
            await send_all(writer, sent[part : part + 50])
    assert pair.shadow.values_by_key() == by_key(sent)


@pytest.mark.parametrize("breaks", [1, 3])
async def test_a_break_of_the_authority_is_healed(pair: Pair, breaks: int) -> None:
    """What had landed is found, and only the rest is sent again: every record is there once, in order."""
    pair.authority.breaks = breaks
    sent = series(200)
    async with pair.writer() as writer:
        answers = await send_all(writer, sent)
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == by_key(sent)
    assert len({answer.place for answer in answers}) == len(sent)


@pytest.mark.parametrize("breaks", [1, 3])
async def test_a_break_of_the_shadow_is_healed(pair: Pair, breaks: int) -> None:
    """As one of the authority, and no sender notices."""
    pair.shadow.breaks = breaks
    sent = series(200)
    async with pair.writer() as writer:
        await send_all(writer, sent)
    assert pair.shadow.values_by_key() == by_key(sent)


@pytest.mark.parametrize("is_by_arrival", [False, True])
async def test_old_timestamps_cost_no_long_look_where_arrival_counts(pair: Pair, is_by_arrival: bool) -> None:  # noqa: FBT001
    """An end that is read by arrival is read from when the records were journalled, another one from their own time."""
    begun = datetime.now(UTC)
    for end in (pair.authority, pair.shadow):
        end.is_by_arrival, end.breaks = is_by_arrival, 1
    # Nothing is waited for that may still be on its way: each end is looked at once.
    async with pair.writer(settle_s=0.0) as writer:
        await writer.send(b"key", b"value", timestamp_ms=1_000_000_000_000)
    for end in (pair.authority, pair.shadow):
        (since,) = end.looked_from
        assert since is not None
        assert (since > begun - timedelta(minutes=2)) is is_by_arrival
        assert is_by_arrival or since.year == 2001
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == {b"key": [b"value"]}


async def test_what_the_authority_can_never_take_is_told_to_its_sender(pair: Pair) -> None:
    """The shadow is not offered it, and the records beside it are written."""
    pair.authority.refuses = lambda record: "too_large" if record.value == b"3" else None
    async with pair.writer() as writer:
        await writer.send(b"other", b"first")
        await eventually(lambda: bool(pair.shadow.records), "the shadow follows")
        results = await asyncio.gather(*(writer.send(key, value) for key, value in series(6)), return_exceptions=True)
    (error,) = [result for result in results if isinstance(result, BaseException)]
    assert isinstance(error, RejectedError)
    assert error.reason == "too_large"
    expected = by_key([(b"other", b"first"), *((key, value) for key, value in series(6) if value != b"3")])
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == expected


async def test_what_the_shadow_can_never_take_is_counted(pair: Pair) -> None:
    """Its sender has been answered, and the others follow."""
    pair.shadow.refuses = lambda record: "too_large" if record.value == b"3" else None
    async with pair.writer() as writer:
        await send_all(writer, series(6))
        await eventually(lambda: writer.counts().spool_records == 0, "the shadow has caught up")
        assert (writer.counts().shadow_rejected, writer.counts().shadow_written) == ({"too_large": 1}, 5)


async def test_an_authority_that_is_away_is_told_at_the_start(pair: Pair) -> None:
    """Entering raises, and the spool is free again."""
    pair.authority.is_away = True
    with pytest.raises(UnreachableError, match="it is away"):
        async with pair.writer():
            pass
    pair.authority.is_away = False
    async with pair.writer() as writer:
        await writer.send(b"key", b"value")


async def test_a_refusal_of_the_authority_ends_the_writer(pair: Pair) -> None:
    """A person must act: who waits hears of it, who comes later too, and the next writer goes on without a loss."""
    first = series(20)
    async with pair.writer() as writer:
        await send_all(writer, first)
        pair.authority.breaks, pair.authority.refusal = 1, RefusedError("write", "no permission")
        with pytest.raises(RefusedError, match="no permission"):
            await writer.send(b"key-0", b"lost")
        with pytest.raises(ClosedError, match="no permission"):
            await writer.send(b"key-0", b"later")
    pair.authority.refusal = None
    async with pair.writer() as writer:
        second = series(20, first=20)
        await send_all(writer, second)
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == by_key(first + second)


async def test_a_refusal_of_the_shadow_is_waited_out(pair: Pair) -> None:
    """No sender notices, and it follows again once it is allowed to."""
    pair.shadow.refusal = RefusedError("write", "no permission")
    sent = series(20)
    async with pair.writer() as writer:
        await send_all(writer, sent)
        await eventually(lambda: "no permission" in writer.counts().shadow_trouble, "the trouble is told")
        pair.shadow.refusal = None
    assert pair.shadow.values_by_key() == by_key(sent)


async def test_what_could_not_be_journalled_was_not_sent(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sender is told so, and the next record is written."""
    written = journal_file.apply
    full = ["disk full"]

    def apply(connection: sqlite3.Connection, path: Path, change: Change) -> None:
        if change.stretch is not None and full:
            raise SpoolError("write the spool", full.pop())
        written(connection, path, change)

    monkeypatch.setattr(journal_file, "apply", apply)
    async with pair.writer() as writer:
        with pytest.raises(SpoolError, match="disk full"):
            await writer.send(b"key", b"lost")
        await writer.send(b"key", b"value")
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == {b"key": [b"value"]}


async def test_a_cancelled_call_takes_nothing_back(pair: Pair) -> None:
    """What was under way is written, and those around it are answered."""
    pair.authority.answers.clear()
    async with pair.writer() as writer:
        calls = [asyncio.create_task(writer.send(b"key", value)) for value in (b"1", b"2", b"3")]
        await eventually(lambda: bool(pair.authority.records), "under way")
        calls[0].cancel()
        pair.authority.answers.set()
        await asyncio.gather(*calls[1:])
    assert pair.authority.values_by_key() == pair.shadow.values_by_key() == {b"key": [b"1", b"2", b"3"]}


async def test_numbers_are_never_given_twice(pair: Pair) -> None:
    """Ids go on behind those of an earlier life."""
    ids = []
    for _ in range(3):
        async with pair.writer() as writer:
            ids += [(await writer.send(b"key", b"value")).id for _ in range(3)]
    name = ids[0].rpartition("/")[0]
    assert ids == [f"{name}/{number}" for number in range(1, 10)]


async def test_two_writers_do_not_share_a_spool(pair: Pair) -> None:
    """The second one is refused while the first lasts."""
    async with pair.writer():
        with pytest.raises(SpoolBusyError, match="another writer"):
            async with pair.writer():
                pass


async def test_a_spool_belongs_to_its_two_ends(pair: Pair) -> None:
    """With another one it is refused, since its records are owed to the first."""
    async with pair.writer():
        pass
    with pytest.raises(SpoolFormatError, match="memory:shadow"):
        async with pair.writer(shadow=MemoryEnd("other")):
            pass
    with pytest.raises(SettingsError, match="are one"):
        pair.writer(shadow=pair.authority)


async def test_a_file_of_others_stays_as_it_is(pair: Pair) -> None:
    """Nothing that is no spool is written to."""
    pair.settings.spool.write_bytes(b"something else, and long enough to be taken for a database's head" * 20)
    before = pair.settings.spool.read_bytes()
    with pytest.raises(SpoolFormatError):
        async with pair.writer():
            pass
    assert pair.settings.spool.read_bytes() == before


async def test_a_writer_that_was_left_takes_nothing(pair: Pair) -> None:
    """Whoever sends is told so."""
    async with pair.writer() as writer:
        await writer.send(b"key", b"value")
    with pytest.raises(ClosedError):
        await writer.send(b"key", b"value")


async def test_wrong_records_concern_their_sender_alone(pair: Pair) -> None:
    """They are refused before they are queued."""
    async with pair.writer() as writer:
        await _wrong(writer)
        await writer.send(None, None)
    assert len(pair.authority.records) == len(pair.shadow.records) == 1


async def _wrong(writer: DualWriter) -> None:
    with pytest.raises(TypeError):
        await writer.send("text", b"value")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        await writer.send(b"key", b"value", headers=[("name", "text")])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=DUAL_WRITE_HEADER):
        await writer.send(b"key", b"value", headers=[(DUAL_WRITE_HEADER, b"mine")])
