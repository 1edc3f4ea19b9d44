"""A writer that dies at any point: what its next life makes of what is left.

A crash is the state of the spool's files and of both ends at one moment, with which another writer goes on.
"""

import asyncio
import shutil
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bridge.migration.dual_write import DualWriter, DualWriteSettings, SpoolError, journal_file
from bridge.migration.dual_write.journal_file import Change
from connectors.base import Clock
from tests.bridge.migration.dual_write.conftest import Pair, Sent, send_all, series
from tests.bridge.migration.dual_write.memory_end import MemoryEnd
from tests.support.waiting import eventually

_MINUTES_S = 600.0


@dataclass(frozen=True, slots=True)
class Remains:
    """What a crash left."""

    moment: str
    authority: MemoryEnd
    shadow: MemoryEnd
    settings: DualWriteSettings
    acknowledged: frozenset[bytes]
    """Values whose senders had been answered."""

    async def recovered(self) -> None:
        """Let another writer heal it, and write some more."""
        async with DualWriter(self.settings) as writer:
            await send_all(writer, series(10, first=1_000))


class Crashes:
    """Takes what a crash would leave at each event of either end."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self.found: list[Remains] = []
        self._pair = pair
        self._folder = folder
        self._acknowledged: set[bytes] = set()
        for name, end in (("authority", pair.authority), ("shadow", pair.shadow)):
            end.hear = lambda event, name=name: self.take(f"{name} {event}")  # type: ignore[misc]

    async def send(self, writer: DualWriter, sent: list[Sent]) -> None:
        async def one(key: bytes, value: bytes) -> None:
            await writer.send(key, value)
            self._acknowledged.add(value)

        await asyncio.gather(*(one(key, value) for key, value in sent))

    def take(self, moment: str) -> None:
        folder = self._folder / str(len(self.found))
        folder.mkdir(parents=True)
        spool = self._pair.settings.spool
        # The file before its log: as long as the log is not copied into it, both fit together.
        for path in (spool, spool.with_name(f"{spool.name}-wal")):
            shutil.copy(path, folder / path.name)
        authority, shadow = self._pair.authority.copy(), self._pair.shadow.copy()
        settings = DualWriteSettings("orders", authority, shadow, folder / spool.name, settle_s=0.0)
        remains = Remains(moment, authority, shadow, settings, frozenset(self._acknowledged))
        self.found.append(remains)


@pytest.fixture
def crashes(pair: Pair, tmp_path: Path) -> Crashes:
    return Crashes(pair, tmp_path / "crashes")


@pytest.mark.parametrize("slow", ["neither", "authority", "shadow"])
async def test_a_crash_at_any_point_is_healed(pair: Pair, crashes: Crashes, slow: str) -> None:
    """Both ends hold the same records, each once and each key in order, and all that were acknowledged are there."""
    async with pair.writer() as writer:
        for part in range(0, 60, 12):
            for name, end in (("authority", pair.authority), ("shadow", pair.shadow)):
                if name == slow:
                    end.answers.clear()
            sending = asyncio.create_task(crashes.send(writer, series(12, first=part)))
            if slow == "authority":
                await eventually(lambda: not pair.authority.answers.is_set(), "held")
                pair.authority.answers.set()
            await sending
            pair.shadow.answers.set()
    assert {remains.moment for remains in crashes.found} == {
        f"{end} {event}" for end in ("authority", "shadow") for event in ("write", "written", "answered")
    }
    for remains in crashes.found:
        await remains.recovered()
        assert remains.authority.numbers_by_key() == remains.shadow.numbers_by_key(), remains.moment
        assert remains.authority.values_by_key() == remains.shadow.values_by_key(), remains.moment
        for numbers in remains.authority.numbers_by_key().values():
            assert numbers == sorted(set(numbers)), remains.moment
        assert remains.acknowledged <= {record.value for record in remains.authority.records}, remains.moment


async def test_what_did_not_reach_the_authority_is_dropped(pair: Pair, crashes: Crashes) -> None:
    """Nobody was told that it had been written; the shadow does not get it either, and it is counted."""
    async with pair.writer() as writer:
        await crashes.send(writer, series(1))
    before = next(remains for remains in crashes.found if remains.moment == "authority write")
    async with DualWriter(before.settings) as writer:
        await eventually(lambda: writer.counts().spool_records == 0, "healed")
        assert writer.counts().healed == {"written": 0, "dropped": 1, "assumed": 0}
    assert before.authority.records == before.shadow.records == []


class SettlingClock(Clock):
    """What takes minutes is over when the test says so."""

    def __init__(self) -> None:
        self.waits = asyncio.Event()
        self.settled = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds < _MINUTES_S / 2:
            await super().sleep(seconds)
            return
        self.waits.set()
        await self.settled.wait()


@pytest.mark.parametrize("late", ["authority", "shadow"])
async def test_a_record_that_lands_late_is_found_by_the_second_look(pair: Pair, crashes: Crashes, late: str) -> None:
    """At either end a call that was cut off may still arrive: what is not there at first is looked for again."""
    async with pair.writer() as writer:
        await crashes.send(writer, series(1))
    before = next(remains for remains in crashes.found if remains.moment == f"{late} write")
    end, written = {"authority": (before.authority, pair.authority), "shadow": (before.shadow, pair.shadow)}[late]
    clock = SettlingClock()
    async with DualWriter(replace(before.settings, settle_s=_MINUTES_S), clock=clock) as writer:
        await clock.waits.wait()
        end.append(written.records[0])
        clock.settled.set()
        await eventually(lambda: writer.counts().spool_records == 0, "healed")
        assert writer.counts().healed.get("dropped", 0) == 0
    assert before.authority.numbers_by_key() == before.shadow.numbers_by_key() == {b"key-0": [1]}


@pytest.mark.parametrize("step", ["unanswered", "unsettled", "apply"])
async def test_a_spool_that_fails_once_is_asked_again(
    pair: Pair, crashes: Crashes, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A file that is locked for a moment while an earlier life is healed ends nothing, and nothing is counted twice."""
    async with pair.writer() as writer:
        await crashes.send(writer, series(1))
    before = next(remains for remains in crashes.found if remains.moment == "authority written")
    works, failed = getattr(journal_file, step), list[str]()

    def fails_once(connection: sqlite3.Connection, path: Path, what: Change | int) -> object:
        is_concerned = not isinstance(what, Change) or bool(what.answered)
        if is_concerned and not failed:
            failed.append(step)
            raise SpoolError("use the spool", "database is locked")
        return works(connection, path, what)

    monkeypatch.setattr(journal_file, step, fails_once)
    async with DualWriter(before.settings) as writer:
        await eventually(lambda: bool(failed), "locked")
        await send_all(writer, series(5, first=5))
        await eventually(lambda: writer.counts().spool_records == 0, "healed")
        assert writer.counts().healed == {"written": 1, "dropped": 0, "assumed": 0}
    assert before.authority.numbers_by_key() == before.shadow.numbers_by_key()


async def test_an_authority_without_ids_is_taken_to_have_it(pair: Pair, tmp_path: Path) -> None:
    """What was acknowledged must not be missing in the shadow: there may be more, and the counts say so."""
    authority = MemoryEnd("authority", carries_ids=False)
    raw = Pair(authority, pair.shadow, DualWriteSettings("orders", authority, pair.shadow, tmp_path / "raw.db"))
    crashes = Crashes(raw, tmp_path / "raw")
    async with raw.writer() as writer:
        await crashes.send(writer, series(1))
    before = next(remains for remains in crashes.found if remains.moment == "authority write")
    async with DualWriter(before.settings) as writer:
        await eventually(lambda: writer.counts().spool_records == 0, "healed")
        assert writer.counts().healed == {"written": 0, "dropped": 0, "assumed": 1}
    assert (before.authority.records, len(before.shadow.records)) == ([], 1)


async def test_what_may_have_expired_is_taken_to_be_there(pair: Pair, crashes: Crashes) -> None:
    """After an outage longer than the authority keeps records, nothing that was acknowledged is dropped."""
    async with pair.writer() as writer:
        await crashes.send(writer, series(1))
    before = next(remains for remains in crashes.found if remains.moment == "authority write")
    before.authority.has_expired = before.shadow.has_expired = True
    async with DualWriter(before.settings) as writer:
        await eventually(lambda: writer.counts().spool_records == 0, "healed")
        assert writer.counts().healed == {"written": 0, "dropped": 0, "assumed": 1}
    assert len(before.shadow.records) == 1


async def test_a_crash_during_a_swap_leaves_one_or_the_other(pair: Pair, crashes: Crashes) -> None:
    """Whichever roles the next life finds, both ends hold the same."""
    async with pair.writer() as writer:
        for round_ in range(4):
            await asyncio.gather(crashes.send(writer, series(20, first=20 * round_)), writer.swap())
            crashes.take("swapped")
    for remains in crashes.found:
        await remains.recovered()
        assert remains.authority.values_by_key() == remains.shadow.values_by_key(), remains.moment
        assert remains.acknowledged <= {record.value for record in remains.authority.records}, remains.moment
