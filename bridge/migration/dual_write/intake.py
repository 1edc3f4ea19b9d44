"""The way of a record from ``send`` to the authority: journalled first, with all that came meanwhile in one commit."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from bridge.migration.dual_write.admission import Admission
from bridge.migration.dual_write.authority import Answer, Authority
from bridge.migration.dual_write.counts import Tally
from bridge.migration.dual_write.errors import RejectedError, SpoolError
from bridge.migration.dual_write.intent import Intent
from bridge.migration.dual_write.journal import Journal
from bridge.migration.dual_write.journal_file import Change
from bridge.migration.dual_write.owed import Owed
from bridge.migration.dual_write.room import Room
from bridge.migration.dual_write.since import Since
from bridge.migration.dual_write.stretch import Headers, Stretch
from connectors import dual_write_id
from connectors.base import Clock

_MOST_RECORDS = 1_024
_MOST_BYTES = 4 * 1024 * 1024
"""Of one stretch, about. It is dealt with at once, in the application's event loop."""
_NOTES_S = 0.1
"""What is noted waits for the next intent at most so long."""


@dataclass(frozen=True, slots=True)
class Written:
    """A record that the authority has."""

    id: str
    """``WRITER/NUMBER``, as both sides carry it where they can."""
    place: str
    """``PARTITION/OFFSET`` or ``SHARD/SEQUENCE[#SUBSEQUENCE]`` at the authority; empty where the end did not say."""


Sender = asyncio.Future[Written]


class _Row(NamedTuple):
    """One record in the queue."""

    key: bytes | None
    value: bytes | None
    time_ms: int
    headers: Headers
    sender: Sender
    held_s: float
    """For how long a full spool had held records up when it came."""


@dataclass(frozen=True, slots=True)
class _Sent:
    senders: tuple[Sender, ...]
    size: int
    intent: Intent | None
    """None where the shadow is not to have anything of it."""


class Intake:
    """Queues records in the order of ``add``. ``run`` takes them on."""

    def __init__(
        self,
        journal: Journal,
        admission: Admission,
        room: Room,
        owed: Owed,
        clock: Clock,
        tally: Tally,
        in_flight_bytes: int,
    ) -> None:
        self.authority: Authority | None = None
        """Set by its owner before ``run``, and exchanged while ``turn`` is held and nothing is waiting."""
        self.turn = asyncio.Lock()
        """Whoever holds it keeps records from being journalled: they queue up."""
        self._journal = journal
        self._admission = admission
        self._room = room
        self._owed = owed
        self._clock = clock
        self._tally = tally
        self._in_flight_bytes = in_flight_bytes
        self._next = journal.opened.next
        self._rows: deque[_Row] = deque()
        self._taken: list[_Row] = []
        """Those that are being journalled."""
        self._sent: dict[int, _Sent] = {}
        """By the number of each stretch's first record."""
        self._sent_records = 0
        """Those in ``_sent``."""
        self._in_flight = 0
        """Their bytes, about."""
        self._moved = asyncio.Event()
        """Set when there may be something to do."""
        self._answered = asyncio.Event()
        """Set when the authority has answered."""

    @property
    def waiting(self) -> int:
        """Records whose senders have no answer."""
        return len(self._rows) + len(self._taken) + self._sent_records

    def add(self, key: bytes | None, value: bytes | None, time_ms: int, headers: Headers) -> Sender:
        answer: Sender = asyncio.get_running_loop().create_future()
        self._rows.append(_Row(key, value, time_ms, headers, answer, self._admission.held_s))
        self._tally.accepted += 1
        self._moved.set()
        return answer

    def fail(self, error: Exception) -> None:
        """Nothing more is answered: everybody who waits is told why."""
        senders = [row.sender for row in (*self._taken, *self._rows)]
        senders += [sender for sent in self._sent.values() for sender in sent.senders]
        self._rows.clear()
        self._sent.clear()
        self._answered.set()
        _tell(senders, error)

    def settle(self, intent: Intent) -> None:
        """The shadow has what it is to have of it."""
        self._journal.note_settled(intent.first)
        self._room.give_back(intent)
        self._moved.set()

    def hear(self, answer: Answer) -> None:
        """The authority has answered."""
        stretch = answer.stretch
        sent = self._sent.pop(stretch.first, None)
        if sent is None:
            return
        self._in_flight -= sent.size
        self._sent_records -= len(sent.senders)
        self._moved.set()
        self._answered.set()
        self._tally.authority_rejected += len(answer.rejected)
        self._tally.authority_written += len(stretch) - len(answer.rejected)
        for index, rejected in answer.rejected.items():
            name = dual_write_id.text(self._journal.opened.writer, stretch.numbers[index])
            _tell([sent.senders[index]], RejectedError(f"send {name}", rejected.reason, rejected.detail))
        writer = self._journal.opened.writer
        for number, place, sender in zip(stretch.numbers, answer.places, sent.senders, strict=True):
            if not sender.done():
                sender.set_result(Written(dual_write_id.text(writer, number), place))
        if sent.intent is not None:
            self._pass_on(sent.intent, {stretch.numbers[index] for index in answer.rejected})

    async def run(self) -> None:
        """Never returns. Raises what is no error of the spool."""
        while True:
            await self._wanted()
            async with self.turn:
                await self._take_on()

    async def idle(self) -> None:
        """Wait until nobody waits for an answer."""
        while self._rows or self._taken or self._sent:
            self._answered.clear()
            await self._answered.wait()

    async def settled(self) -> None:
        """Wait until both ends have all that was journalled and that they are to have."""
        while self._room.records:
            await self._room.changed()

    async def _wanted(self) -> None:
        """Until there is something that may be taken on, or notes have waited long enough."""
        due: float | None = None
        while not self._rows or self._in_flight >= self._in_flight_bytes:
            if due is None and self._journal.has_notes:
                due = asyncio.get_running_loop().time() + _NOTES_S
            self._moved.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._moved.wait()
            except TimeoutError:
                return

    async def _take_on(self) -> None:
        self._taken = self._next_rows()
        try:
            if self._taken:
                await self._journalled(self._taken)
            elif self._journal.has_notes:
                await self._journal.write()
        except SpoolError as error:
            _tell([row.sender for row in self._taken], error)
        finally:
            self._taken = []
            self._answered.set()

    def _next_rows(self) -> list[_Row]:
        """The oldest whose senders still wait; none while too much is at the authority."""
        rows: list[_Row] = []
        size = 0
        if self._in_flight >= self._in_flight_bytes:
            return rows
        while self._rows and len(rows) < _MOST_RECORDS and size < _MOST_BYTES:
            row = self._rows.popleft()
            if not row.sender.cancelled():
                rows.append(row)
                size += len(row.key or b"") + len(row.value or b"")
        return rows

    async def _journalled(self, rows: list[_Row]) -> None:
        """Write the intent, then hand it to the authority. Raises ``SpoolError`` with nothing sent."""
        keys, values, times_ms, headers, senders, held = zip(*rows, strict=True)
        numbers = list(range(self._next, self._next + len(rows)))
        self._next += len(rows)
        stretch = Stretch(numbers, keys, values, times_ms, headers)
        admitted = await self._admission.admit(stretch, held[0])
        now_ms = self._clock.now_ms()
        since = Since(now_ms, min(now_ms, *times_ms))
        kept, content = admitted.kept, admitted.content
        await self._journal.write(Change(kept, content, since, self._next, admitted.broken, admitted.blocked_since))
        self._admission.saved()
        intent = None
        if kept is not None:
            intent = Intent(kept.first, len(kept), len(content), now_ms, kept)
            self._room.take(intent.records, intent.size, now_ms)
            self._owed.expect(intent.first)
        size = len(content) or sum(len(value or b"") for value in values)
        self._sent[stretch.first] = _Sent(senders, size, intent)
        self._in_flight += size
        self._sent_records += len(senders)
        if self.authority is None:
            raise RuntimeError("there is no authority")
        self.authority.submit(stretch, since)

    def _pass_on(self, intent: Intent, rejected: set[int]) -> None:
        rest = None if intent.stretch is None else intent.stretch.without(rejected)
        self._journal.note_answer(intent.first, sorted(rejected))
        self._owed.answer(replace(intent, stretch=rest))


def _tell(senders: Iterable[Sender], error: Exception) -> None:
    for sender in senders:
        if not sender.done():
            sender.set_exception(error)
