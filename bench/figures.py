"""What was measured of each program, as medians of all rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Generic, Protocol, TypeVar

from bench.measurement import Usage

CEILING = "ceiling"
HANDWRITTEN = "handwritten"
_MILLION = 1_000_000


class Measured(Protocol):
    """One trial of a program."""

    @property
    def usage(self) -> Usage: ...

    @property
    def whole_s(self) -> float: ...

    def records_per_second(self) -> float: ...


T = TypeVar("T", bound=Measured)


@dataclass(frozen=True, slots=True)
class Figures:
    """One subject. CPU is in seconds per million records; ``start_cpu_s`` in seconds."""

    records_per_second: float
    whole_s: float | None
    cpu: float
    """Of the whole process up to the last record."""
    cpu_without_start: float
    """Less what mirroring a handful of records took."""
    start_cpu_s: float
    start_s: float | None
    """From the start of the process to the end of a handful of records."""
    peak_mb: float | None


@dataclass(slots=True)
class Findings(Generic[T]):
    """All trials of a run."""

    records: int
    keys: int
    ceilings: list[tuple[float, float]] = field(default_factory=list)
    starts: dict[str, list[T]] = field(default_factory=dict)
    trials: dict[str, list[T]] = field(default_factory=dict)

    def figures(self) -> dict[str, Figures]:
        """The medians of each subject that was tried."""
        found = {name: self._figures(name, trials) for name, trials in self.trials.items()}
        if self.ceilings:
            cpu = median(cpu for _, cpu in self.ceilings) / self.records * _MILLION
            rate = median(rate for rate, _ in self.ceilings)
            found = {CEILING: Figures(rate, None, cpu, cpu, 0.0, None, None), **found}
        return found

    def rounds(self) -> dict[str, list[dict[str, float]]]:
        """Each trial, for a document."""
        return {
            name: [
                {
                    "records_per_second": trial.records_per_second(),
                    "whole_s": trial.whole_s,
                    "cpu_s": trial.usage.cpu_s,
                    "peak_mb": trial.usage.peak_mb,
                }
                for trial in trials
            ]
            for name, trials in self.trials.items()
        }

    def _figures(self, name: str, trials: Sequence[T]) -> Figures:
        start_s = median(trial.usage.cpu_s for trial in self.starts[name])
        cpu_s = median(trial.usage.cpu_s for trial in trials)
        return Figures(
            records_per_second=median(trial.records_per_second() for trial in trials),
            whole_s=median(trial.whole_s for trial in trials),
            cpu=cpu_s / self.records * _MILLION,
            cpu_without_start=(cpu_s - start_s) / self.records * _MILLION,
            start_cpu_s=start_s,
            start_s=median(trial.whole_s for trial in self.starts[name]),
            peak_mb=median(trial.usage.peak_mb for trial in trials),
        )


def ratios(figures: Mapping[str, Figures]) -> dict[str, dict[str, float]]:
    """Each mirror beside the hand-written loop: how many times its rate, and how much of its CPU."""
    loop = figures.get(HANDWRITTEN)
    if loop is None:
        return {}
    return {
        name: {
            "rate": mirror.records_per_second / loop.records_per_second,
            "whole": (loop.whole_s or 0.0) / (mirror.whole_s or 1.0),
            "cpu": mirror.cpu / loop.cpu,
            "cpu_without_start": mirror.cpu_without_start / loop.cpu_without_start,
        }
        for name, mirror in figures.items()
        if name not in (CEILING, HANDWRITTEN)
    }


def table(figures: Mapping[str, Figures], labels: Mapping[str, str]) -> list[str]:
    """The lines of a table for a person."""
    head = ("", "records/s", "whole s", "start s", "CPU s/M", "no start", "peak MB")
    rows = [head, *(_row(labels[name], found) for name, found in figures.items())]
    width = max(len(row[0]) for row in rows)
    return [
        f"{row[0]:<{width}}  {row[1]:>9}  {row[2]:>7}  {row[3]:>7}  {row[4]:>7}  {row[5]:>8}  {row[6]:>7}".rstrip()
        for row in rows
    ]


def cpu_line(found: Mapping[str, float], target: float) -> str:
    """One of ``ratios`` beside the ``target``."""
    cpu, warm = found["cpu"], found["cpu_without_start"]
    return (
        f"CPU: 1/{1 / cpu:.1f}, without start-up 1/{1 / warm:.1f} "
        f"(to reach 1/{1 / target:g}: {verdict(cpu <= target)}, {verdict(warm <= target)})"
    )


def settings(setting: Mapping[str, Any]) -> list[str]:
    return [f"{name}: {text}" for name, text in setting.items()]


def verdict(reached: bool) -> str:  # noqa: FBT001
    return "reached" if reached else "missed"


def _row(label: str, found: Figures) -> tuple[str, ...]:
    return (
        label,
        f"{found.records_per_second:,.0f}",
        "" if found.whole_s is None else f"{found.whole_s:.1f}",
        "" if found.start_s is None else f"{found.start_s:.1f}",
        f"{found.cpu:.1f}",
        f"{found.cpu_without_start:.1f}",
        "" if found.peak_mb is None else f"{found.peak_mb:.0f}",
    )
