"""The letters of a mirror's dead letter, sent again to its sink."""

from datetime import UTC, datetime
from secrets import token_hex

from bridge.assembly import Job
from bridge.config import Configuration
from bridge.jobs.backfill import Backfill
from bridge.jobs.backfill_request import BackfillRequest
from bridge.jobs.letters import MARK, Letters
from bridge.jobs.progress import JobProgress
from bridge.jobs.redrive_report import RedriveReport
from bridge.jobs.redrive_request import RedriveRequest, check, own_configuration
from connectors.base import Clock, Source
from connectors.file.source import FileSource

_REST_S = 1.5
"""Streams tell when a record arrived to the second at the worst."""


class Redrive:
    """One redrive: a backfill from the dead letter, of a mirror called ``NAME-redrive``, which knows how far it came.

    The letters of a key are sent in the order in which they were buried. The letters themselves stay where they are.
    It can be told to stop at any time, also while the ends are still being reached.
    """

    def __init__(self, configuration: Configuration, request: RedriveRequest) -> None:
        """Raises ``UsageError`` for what cannot be asked for."""
        check(configuration, request)
        self.id = f"{MARK}{datetime.now(UTC):%Y%m%dt%H%M%Sz}-{token_hex(3)}"
        self._clock = Clock()
        self._request = request
        self._file = None if configuration.dead_letter is None else configuration.dead_letter.file
        self._asked = own_configuration(configuration)
        sink = configuration.sink.kinesis
        job = Job(around=self._around, replay=None if sink is not None and sink.codec == "raw" else self.id)
        asked = BackfillRequest(
            since=request.since,
            until=request.until,
            again=request.since is None,
            anew=request.since is not None,
            timestamps=request.timestamps,
        )
        self._backfill = Backfill(self._asked, asked, job)

    def stop(self, asked_by: str) -> None:
        """Read no more, and let ``run`` return when what was read is durable and stored. Safe to call twice."""
        self._backfill.stop(asked_by)

    def progress(self) -> JobProgress | None:
        """Where it is; None before that is known."""
        return self._backfill.progress()

    async def run(self) -> RedriveReport:
        """Send the letters; the report tells whether ``stop`` came before the last one.

        Raises as ``Backfill.run``.
        """
        began_s = self._clock.monotonic()
        done = await self._backfill.run()
        status = self._backfill.observed.status()
        return RedriveReport(
            id=self.id,
            dead_letter=self._asked.source.end.title if self._file is None else f"file {self._file.path}",
            sink=self._asked.sink.end.title,
            sent=status.records_written,
            refused=dict(status.dead_letters),
            is_complete=done.is_complete,
            seconds=round(self._clock.monotonic() - began_s, 3),
        )

    def _around(self, source: Source) -> Source:
        """The letters; ``source`` reads them where they are in a topic or a stream."""
        if self._file is None:
            return Letters(source, self._clock, 0.0 if self._asked.source.kinesis is None else _REST_S)
        since = self._request.since
        file = FileSource(self._file.path, self._clock, None if since is None else since.time_ms)
        return Letters(file, self._clock, 0.0)
