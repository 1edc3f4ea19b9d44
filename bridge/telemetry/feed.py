"""The mirrors as a stream of events: all of it once, then each second what is new. One look serves every reader.

``snapshot`` holds ``time_ms``, the documents of ``mirrors`` as /status has them, each with its ``history``, and
``comparisons``. ``change`` holds ``time_ms`` and, for each mirror of which something is new, its ``name``, its
``changes`` (see ``changes``) and the samples that came since, as ``history``. A sample is a list: milliseconds since
the epoch, records a second, bytes a second, lag in seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from bridge.telemetry.changes import changes
from bridge.telemetry.history import Histories, Sample
from bridge.telemetry.overview import Overview
from bridge.telemetry.report import Json
from connectors.base import Clock

EVERY_S = 1.0
READERS = 16
"""As many at once; each holds at most ``_BEHIND`` events that it has not taken."""

_BEHIND = 8


class CrowdedError(Exception):
    """There are ``READERS`` already."""


class Reader:
    """Ends when the feed does, or when it is further behind than the feed keeps for it: then it has to begin anew."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (event := await self._events.get()) is not None:
            yield event

    def offer(self, event: bytes) -> bool:
        """Whether it could take ``event``; if not, that was the end of it."""
        if self._events.qsize() < _BEHIND:
            self._events.put_nowait(event)
            return True
        self.end()
        return False

    def end(self) -> None:
        """What it has not taken is let go."""
        while not self._events.empty():
            self._events.get_nowait()
        self._events.put_nowait(None)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What every reader has been told."""

    mirrors: dict[str, Json]
    comparisons: list[Json]
    samples: dict[str, int]
    """How many of each mirror's history, of all that there ever were."""


class Feed:
    """Looks only while somebody reads."""

    def __init__(self, overview: Overview, histories: Histories, clock: Clock) -> None:
        self._overview = overview
        self._histories = histories
        self._clock = clock
        self._readers: set[Reader] = set()
        self._read = asyncio.Event()
        self._shown = _Shown({}, [], {})

    async def run(self) -> None:
        """Send what is new until cancelled."""
        while True:
            await self._read.wait()
            await self._clock.sleep(EVERY_S)
            if self._readers:
                self._advance()
            else:
                self._read.clear()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """A reader, whose first event is a snapshot. Raises ``CrowdedError``."""
        if len(self._readers) >= READERS:
            raise CrowdedError
        if not self._readers:
            self._shown = self._look()
        reader = Reader()
        reader.offer(self._snapshot())
        self._readers.add(reader)
        self._read.set()
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        """End every reader."""
        for reader in self._readers:
            reader.end()

    def _advance(self) -> None:
        before, now = self._shown, self._look()
        self._shown = now
        event = self._change(before) if before.mirrors.keys() == now.mirrors.keys() else self._snapshot()
        self._readers = {reader for reader in self._readers if reader.offer(event)}

    def _look(self) -> _Shown:
        mirrors = {str(mirror["name"]): mirror for mirror in self._overview.mirrors()}
        samples = {name: self._histories.of(name).count for name in mirrors}
        return _Shown(mirrors, self._overview.comparisons(), samples)

    def _snapshot(self) -> bytes:
        mirrors = [{**mirror, "history": self._history(name, 0)} for name, mirror in self._shown.mirrors.items()]
        return _event("snapshot", self._clock.now_ms(), {"mirrors": mirrors, "comparisons": self._shown.comparisons})

    def _change(self, before: _Shown) -> bytes:
        found: list[Json] = []
        for name, mirror in self._shown.mirrors.items():
            new = changes(before.mirrors[name], mirror)
            history = self._history(name, before.samples[name])
            if new or history:
                found.append({"name": name, "changes": new, "history": history})
        is_same = before.comparisons == self._shown.comparisons
        return _event(
            "change",
            self._clock.now_ms(),
            {"mirrors": found, **({} if is_same else {"comparisons": self._shown.comparisons})},
        )

    def _history(self, mirror: str, told: int) -> Sequence[Sequence[float]]:
        """What is shown of a mirror's last hour, behind the samples that were ``told``."""
        samples = self._histories.of(mirror).between(told, self._shown.samples[mirror])
        return [_columns(sample) for sample in samples]


def _columns(sample: Sample) -> Sequence[float]:
    return (sample.time_ms, sample.records_per_second, sample.bytes_per_second, sample.lag_ms / 1000)


def _event(name: str, time_ms: int, data: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode({"time_ms": time_ms, **data}))
