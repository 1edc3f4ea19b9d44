"""What is known of the stream as a whole, looked at again every minute."""

from dataclasses import dataclass

from connectors.base import Clock, Observer, RefusedError, TransientError
from connectors.kinesis.answers import StreamDescriptionSummary
from connectors.kinesis.api import StreamApi
from connectors.kinesis.faults import MissingError, ThrottledError
from connectors.times import iso

_LOOK_S = 60.0
_HOUR_MS = 3_600_000
_DEFAULT_RECORD = 1024 * 1024
_LARGEST_KEY = 256 * 4
"""256 characters, in UTF-8."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A stream as DescribeStreamSummary shows it."""

    arn: str
    status: str
    created_ms: int
    retention_ms: int
    automatic: bool
    """Records go to any shard, whatever their key: there is no order of a key."""
    largest_record: int
    """Bytes that a record may have."""
    on_demand: bool = False
    """AWS splits and merges its shards by itself."""

    @classmethod
    def of(cls, shown: StreamDescriptionSummary) -> "Summary":
        limit = shown.max_record_size_kib
        return cls(
            shown.stream_arn,
            shown.stream_status,
            int(shown.stream_creation_timestamp * 1000 + 0.5),
            shown.retention_period_hours * _HOUR_MS,
            shown.record_distribution_strategy == "AUTO",
            limit * 1024 if limit is not None else _DEFAULT_RECORD,
            shown.stream_mode_details is not None and shown.stream_mode_details.stream_mode == "ON_DEMAND",
        )

    @property
    def largest_with_key(self) -> int:
        """Bytes of data and key: MaxRecordSizeInKiB bounds the data, and the key comes on top."""
        return self.largest_record + _LARGEST_KEY

    @property
    def identity(self) -> str:
        return f"{self.arn}@{iso(self.created_ms)}"

    @property
    def address(self) -> str:
        region, account, resource = self.arn.split(":")[3:6]
        return f"kinesis:{region}:{account}:{resource.removeprefix('stream/')}"


class StreamWatch:
    """Holds the summary of a stream and refreshes it when it is asked for and a minute old."""

    def __init__(self, api: StreamApi, clock: Clock, observer: Observer) -> None:
        self._api = api
        self._clock = clock
        self._observer = observer
        self._summary: Summary | None = None
        self._next_look = 0.0

    @property
    def summary(self) -> Summary:
        """The last one seen. Valid once opened."""
        if self._summary is None:
            raise RuntimeError("the stream is not open")
        return self._summary

    async def open(self) -> None:
        """Look for the first time. Raises ``RefusedError`` where there is no stream that can be read."""
        self._next_look = self._clock.monotonic() + _LOOK_S
        summary = Summary.of((await self._api.describe()).value.stream_description_summary)
        if summary.status not in {"ACTIVE", "UPDATING"}:
            raise RefusedError(f"open {self._api.target}", f"it is {summary.status}", "start again when it is ACTIVE")
        self._summary = summary

    async def look(self) -> Summary:
        """The summary of at most a minute ago, or an older one while the server cannot be asked.

        Raises ``RefusedError`` where the stream was deleted, or replaced by another of its name.
        """
        if self._clock.monotonic() < self._next_look:
            return self.summary
        return await self.look_now()

    async def look_now(self) -> Summary:
        """As ``look``, by a look of now."""
        summary = self.summary
        self._next_look = self._clock.monotonic() + _LOOK_S
        try:
            seen = Summary.of((await self._api.describe()).value.stream_description_summary)
        except MissingError:
            self._next_look = 0
            raise
        except ThrottledError:
            self._observer.throttled("DescribeStreamSummary")
            return summary
        except (TransientError, RefusedError) as error:
            self._observer.retried("DescribeStreamSummary", type(error).__name__)
            return summary
        if seen.identity != summary.identity:
            self._next_look = 0
            raise RefusedError(
                f"use {self._api.target}",
                f"another stream of this name was created at {iso(seen.created_ms)}",
                "restart the mirror: it compares the new stream with its checkpoints",
            )
        self._summary = seen
        return seen
