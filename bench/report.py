"""What was measured of the way into a topic, for a person and as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from statistics import median
from typing import Any

from bench import subjects
from bench.figures import CEILING, HANDWRITTEN, Findings, cpu_line, ratios, settings, table, verdict
from bench.trial import Trial

LABELS = {
    CEILING: "bare reader, nothing written (the server's ceiling)",
    HANDWRITTEN: "hand-written: boto3 threads + confluent-kafka",
    subjects.MIRROR: "kmbridge run, at least once, provenance: never",
    subjects.MIRROR_WITH_PROVENANCE: "kmbridge run, at least once, provenance: always",
    subjects.EXACTLY_ONCE: "kmbridge run, exactly once, provenance: never",
    subjects.EXACTLY_ONCE_WITH_PROVENANCE: "kmbridge run, exactly once, provenance: always",
}
CPU_TARGET = 1 / 4
RATE_TARGET = 3.0
EXACTLY_ONCE_TARGET = 0.85
"""Of the rate with at least once."""


def shares(findings: Findings[Trial]) -> dict[str, dict[str, float]]:
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


def _median_ratio(findings: Findings[Trial], name: str, other: str, figure: Callable[[Trial], float]) -> float:
    pairs = zip(findings.trials[name], findings.trials[other], strict=True)
    return median(figure(trial) / figure(beside) for trial, beside in pairs)


def as_json(findings: Findings[Trial], setting: Mapping[str, Any]) -> dict[str, Any]:
    figures = findings.figures()
    return {
        **setting,
        "figures": {name: asdict(found) for name, found in figures.items()},
        "ratios_to_handwritten": ratios(figures),
        "exactly_once_to_at_least_once": shares(findings),
        "rounds": findings.rounds(),
    }


def as_text(findings: Findings[Trial], setting: Mapping[str, Any]) -> str:
    figures = findings.figures()
    beside = [_beside(LABELS[name], found) for name, found in ratios(figures).items()]
    beside += [_shared(LABELS[name], found) for name, found in shares(findings).items()]
    return "\n".join([*settings(setting), "", *table(figures, LABELS), "", *beside])


def _beside(label: str, found: Mapping[str, float]) -> str:
    rate = found["rate"]
    return (
        f"{label}, beside the hand-written loop\n"
        f"  rate: {rate:.2f} times (to reach {RATE_TARGET:g}: {verdict(rate >= RATE_TARGET)})\n"
        f"  {cpu_line(found, CPU_TARGET)}"
    )


def _shared(label: str, found: Mapping[str, float]) -> str:
    rate, cpu = found["rate"], found["cpu"]
    return (
        f"{label}, beside at least once\n"
        f"  rate: {rate:.2f} times (to reach {EXACTLY_ONCE_TARGET:g}: {verdict(rate >= EXACTLY_ONCE_TARGET)})\n"
        f"  CPU: {cpu:.2f} times"
    )
