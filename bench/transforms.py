"""What functions of ``transforms: - python`` cost that do next to nothing: the price of calling them."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from bridge.transforms import Record
from bridge.transforms.chain import Chain
from bridge.transforms.python import PythonSettings, PythonStep
from connectors.base import Batch, Clock, Observer, Place

_RECORDS = 1_000
_BATCHES = 200


def keep(record: Record) -> Record:
    return record


def drop_half(record: Record) -> Record | None:
    return record if record.position[-1] in "02468" else None


def change(record: Record) -> Record:
    return replace(record, value=b"other")


def split(record: Record) -> list[Record]:
    return [record, record]


async def keep_async(record: Record) -> Record:
    return record


def keep_batch(records: Sequence[Record]) -> Sequence[Record]:
    return records


def change_batch(records: Sequence[Record]) -> Sequence[Record]:
    return [replace(record, value=b"other") for record in records]


_FUNCTIONS: tuple[tuple[str, Literal["record", "batch"]], ...] = (
    ("keep", "record"),
    ("drop_half", "record"),
    ("change", "record"),
    ("split", "record"),
    ("keep_async", "record"),
    ("keep_batch", "batch"),
    ("change_batch", "batch"),
)


@dataclass(frozen=True, slots=True)
class StepCost:
    """Of one function, the median of the rounds."""

    function: str
    cpu_us: float
    """A record, of the whole process."""
    wall_us: float


async def measure(repeat: int) -> list[StepCost]:
    return [await _cost(function, takes, repeat) for function, takes in _FUNCTIONS]


async def _cost(function: str, takes: Literal["record", "batch"], repeat: int) -> StepCost:
    step = PythonStep(PythonSettings(f"{__name__}:{function}", takes))
    rounds: list[tuple[float, float]] = []
    async with Chain([step], Clock(), Observer()) as chain:
        for _ in range(repeat):
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            for _ in range(_BATCHES):
                await chain.apply(_BATCH)
            rounds.append((time.process_time() - cpu_s, time.perf_counter() - wall_s))
    cpu_s, wall_s = (statistics.median(each) for each in zip(*rounds, strict=True))
    return StepCost(function, cpu_s / _RECORDS / _BATCHES * 1e6, wall_s / _RECORDS / _BATCHES * 1e6)


_BATCH = Batch(
    "0",
    Place(str(_RECORDS - 1)),
    [str(number) for number in range(_RECORDS)],
    [b"key-%d" % (number % 100) for number in range(_RECORDS)],
    [b"v" * 1_000] * _RECORDS,
    [0] * _RECORDS,
    size=1_006 * _RECORDS,
)


def as_json(found: Sequence[StepCost]) -> list[dict[str, Any]]:
    return [asdict(each) for each in found]


def as_text(found: Sequence[StepCost]) -> str:
    rows = [f"{'function':<16}{'CPU us':>10}{'wall us':>10}"]
    rows += [f"{each.function:<16}{each.cpu_us:>10.2f}{each.wall_us:>10.2f}" for each in found]
    return "\n".join(rows)
