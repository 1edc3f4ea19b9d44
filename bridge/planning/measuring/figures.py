"""Figures of a load, as far as they are known: measured, or given by hand."""

from dataclasses import dataclass, fields, replace
from typing import Self

from bridge.errors import UsageError
from bridge.planning.load import Load

DEFAULT_PEAK = 3.0
"""Where nobody knows: evenings and mornings have three times what the mean has, as a rule of thumb."""
DEFAULT_RETENTION_H = 24.0
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Sink:
    """What the sink has already; None of each that is not known."""

    partitions: int | None = None
    retention_hours: float | None = None
    """None: also without a limit."""
    unseen: str = ""
    """Why it was not seen, for a person."""


@dataclass(frozen=True, slots=True)
class Figures:
    """None of each that is not known."""

    records_per_second: float | None = None
    record_bytes: float | None = None
    peak_factor: float | None = None
    readers: int | None = None
    fan_out_readers: int | None = None
    retention_hours: float | None = None
    stored_bytes: float | None = None
    """What a backfill has to copy."""
    partitions: int | None = None
    """Of the source: open shards, or partitions."""
    on_demand: bool | None = None
    """Whether the source is a stream whose shards AWS counts."""
    sink: Sink | None = None
    """None: nobody has looked."""
    account: str | None = None
    region: str | None = None
    told_by: str = ""
    """Where they are from, for a person; empty: given by hand."""

    @property
    def are_enough(self) -> bool:
        """Whether nobody has to be asked for the rest."""
        return self.records_per_second is not None and self.record_bytes is not None

    def over(self, other: Self) -> Self:
        """These, and ``other`` where one is not known."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(other, **{name: value for name, value in known.items() if value not in (None, "")})

    def load(self) -> Load:
        """Raises ``UsageError`` where there is nothing to plan for."""
        if not self.records_per_second or not self.record_bytes:
            raise UsageError(
                "plan for the load",
                "it has no records" if self.records_per_second == 0 else "no records came in while it was measured",
                "--records-per-second and --bytes say what is expected",
            )
        return Load(
            self.records_per_second,
            self.record_bytes,
            self.peak_factor or DEFAULT_PEAK,
            1 if self.readers is None else self.readers,
            self.fan_out_readers or 0,
            self.retention_hours or DEFAULT_RETENTION_H,
        )
