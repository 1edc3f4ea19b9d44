"""What a process told of its mirrors, read back from its /status: of this version, an earlier or a later one."""

from collections.abc import Mapping

import msgspec


class LaneTold(msgspec.Struct, frozen=True):
    """The keys of docs: status. What an earlier version does not tell has its default."""

    partition: str
    state: str
    position: str | None = None
    lag_seconds: float = 0.0
    records_total: int = 0
    records_per_second: float = 0.0
    checkpoint_age_seconds: float | None = None
    error: str | None = None


class RetryTold(msgspec.Struct, frozen=True):
    operation: str
    reason: str
    total: int


class JobTold(msgspec.Struct, frozen=True):
    kind: str
    share: float | None
    records: int
    records_per_second: float
    remaining_s: float | None


class StepTold(msgspec.Struct, frozen=True):
    name: str
    title: str
    state: str


class CutoverTold(msgspec.Struct, frozen=True):
    steps: tuple[StepTold, ...]
    is_finished: bool
    told: str = ""


class MirrorTold(msgspec.Struct, frozen=True):
    name: str
    version: str
    state: str
    error: str | None = None
    source: str = ""
    sink: str = ""
    records_total: int = 0
    bytes_total: int = 0
    records_per_second: float = 0.0
    lag_seconds: float = 0.0
    checkpoint_age_seconds: float | None = None
    buffered_bytes: int = 0
    gaps_total: int = 0
    skipped: dict[str, int] = {}
    dead_letters: dict[str, int] = {}
    retries: tuple[RetryTold, ...] = ()
    throttled: dict[str, int] = {}
    job: JobTold | None = None
    cutover: CutoverTold | None = None
    lanes: tuple[LaneTold, ...] = ()


class ComparisonTold(msgspec.Struct, frozen=True):
    name: str
    records_total: int
    differences: dict[str, int]
    proven: str | None


class Told(msgspec.Struct, frozen=True):
    mirrors: tuple[MirrorTold, ...] = ()
    comparisons: tuple[ComparisonTold, ...] = ()


def told(document: Mapping[str, object]) -> Told:
    """What ``document`` says, whether it is of one mirror or of several. Raises ``ValueError`` for any other."""
    if not document.keys() & {"name", "mirrors"}:
        raise ValueError("it names no mirror")
    whole = document if "mirrors" in document else {"mirrors": [document]}
    return msgspec.convert(whole, Told)
