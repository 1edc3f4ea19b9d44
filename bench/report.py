"""What was measured, as medians of all rounds, for a person and as JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bench import subjects
from bench.trial import Trial

LABELS = {
    subjects.CEILING: "bare reader, nothing written (the server's ceiling)",
    subjects.HANDWRITTEN: "hand-written: boto3 threads + confluent-kafka",
    subjects.MIRROR: "kmbridge run, at least once, provenance: never",
    subjects.MIRROR_WITH_PROVENANCE: "kmbridge run, at least once, provenance: always",
    subjects.EXACTLY_ONCE: "kmbridge run, exactly once, provenance: never",
    subjects.EXACTLY_ONCE_WITH_PROVENANCE: "kmbridge run, exactly once, provenance: always",
}
CPU_TARGET = 1 / 4
RATE_TARGET = 3.0
EXACTLY_ONCE_TARGET = 0.85
"""Of the rate with at least once."""
_MILLION = 1_000_000


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
class Findings:
    """All trials of a run."""

    records: int
    keys: int
    ceilings: list[tuple[float, float]] = field(default_factory=list)
    starts: dict[str, list[Trial]] = field(default_factory=dict)
    trials: dict[str, list[Trial]] = field(default_factory=dict)

    def figures(self) -> dict[str, Figures]:
        """The medians of each subject that was tried."""
        found = {name: self._figures(name, trials) for name, trials in self.trials.items()}
        if self.ceilings:
            cpu = median(cpu for _, cpu in self.ceilings) / self.records * _MILLION
            rate = median(rate for rate, _ in self.ceilings)
            found = {subjects.CEILING: Figures(rate, None, cpu, cpu, 0.0, None, None), **found}
        return found

    def _figures(self, name: str, trials: Sequence[Trial]) -> Figures:
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
    loop = figures.get(subjects.HANDWRITTEN)
    mirrors = [name for name in LABELS if name not in (subjects.CEILING, subjects.HANDWRITTEN)]
    if loop is None:
        return {}
    return {
        name: {
            "rate": mirror.records_per_second / loop.records_per_second,
            "whole": (loop.whole_s or 0.0) / (mirror.whole_s or 1.0),
            "cpu": mirror.cpu / loop.cpu,
            "cpu_without_start": mirror.cpu_without_start / loop.cpu_without_start,
        }
        for name in mirrors
        if (mirror := figures.get(name)) is not None
    }


def shares(findings: Findings) -> dict[str, dict[str, float]]:
    """Each mirror that is exact beside the same without that: the share of its rate, and times its CPU.

    Of the ratios of each round the median: what else happens on the machine is alike for both in a round.
    """
    return {
        name: {
            "rate": _median_ratio(findings, name, other, Trial.records_per_second),
            "cpu": _median_ratio(findings, name, other, lambda trial: trial.usage.cpu_s),
        }
        for name, other in subjects.COUNTERPARTS.items()
        if name in findings.trials and other in findings.trials
    }


def _median_ratio(findings: Findings, name: str, other: str, figure: Callable[[Trial], float]) -> float:
    pairs = zip(findings.trials[name], findings.trials[other], strict=True)
    return median(figure(trial) / figure(beside) for trial, beside in pairs)


def as_json(findings: Findings, setting: Mapping[str, Any]) -> dict[str, Any]:
    figures = findings.figures()
    return {
        **setting,
        "figures": {name: asdict(found) for name, found in figures.items()},
        "ratios_to_handwritten": ratios(figures),
        "exactly_once_to_at_least_once": shares(findings),
        "rounds": {
            name: [
                {
                    "records_per_second": trial.records_per_second(),
                    "whole_s": trial.whole_s,
                    "cpu_s": trial.usage.cpu_s,
                    "peak_mb": trial.usage.peak_mb,
                }
                for trial in trials
            ]
            for name, trials in findings.trials.items()
        },
    }


def as_text(findings: Findings, setting: Mapping[str, Any]) -> str:
    figures = findings.figures()
    head = ("", "records/s", "whole s", "start s", "CPU s/M", "no start", "peak MB")
    rows = [head, *(_row(LABELS[name], found) for name, found in figures.items())]
    width = max(len(row[0]) for row in rows)
    lines = [
        f"{row[0]:<{width}}  {row[1]:>9}  {row[2]:>7}  {row[3]:>7}  {row[4]:>7}  {row[5]:>8}  {row[6]:>7}".rstrip()
        for row in rows
    ]
    beside = [_beside(LABELS[name], found) for name, found in ratios(figures).items()]
    beside += [_shared(LABELS[name], found) for name, found in shares(findings).items()]
    return "\n".join([*(f"{name}: {text}" for name, text in setting.items()), "", *lines, "", *beside])


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


def _beside(label: str, found: Mapping[str, float]) -> str:
    rate, cpu, warm = found["rate"], found["cpu"], found["cpu_without_start"]
    return (
        f"{label}, beside the hand-written loop\n"
        f"  rate: {rate:.2f} times (to reach {RATE_TARGET:g}: {_verdict(rate >= RATE_TARGET)})\n"
        f"  CPU: 1/{1 / cpu:.1f}, without start-up 1/{1 / warm:.1f} "
        f"(to reach 1/{1 / CPU_TARGET:g}: {_verdict(cpu <= CPU_TARGET)}, {_verdict(warm <= CPU_TARGET)})"
    )


def _shared(label: str, found: Mapping[str, float]) -> str:
    rate, cpu = found["rate"], found["cpu"]
    return (
        f"{label}, beside at least once\n"
        f"  rate: {rate:.2f} times (to reach {EXACTLY_ONCE_TARGET:g}: {_verdict(rate >= EXACTLY_ONCE_TARGET)})\n"
        f"  CPU: {cpu:.2f} times"
    )


def _verdict(reached: bool) -> str:  # noqa: FBT001
    return "reached" if reached else "missed"
