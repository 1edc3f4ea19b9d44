"""What was measured of the way into a stream, for a person and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.figures import CEILING, HANDWRITTEN, Findings, cpu_line, ratios, settings, table
from bench.to_kinesis import subjects
from bench.to_kinesis.trial import StreamTrial

LABELS = {
    CEILING: "bare writer of bodies made before (the server's ceiling)",
    HANDWRITTEN: "hand-written: confluent-kafka + boto3",
    subjects.RAW: "kmbridge run, codec: raw",
    subjects.KPL: "kmbridge run, codec: kpl",
    subjects.ENVELOPE: "kmbridge run, codec: envelope",
}
CPU_TARGETS = {subjects.RAW: 1 / 3, subjects.KPL: 1 / 4}


def as_json(found: Sequence[Findings[StreamTrial]], setting: Mapping[str, Any]) -> dict[str, Any]:
    return {**setting, "loads": [_document(findings) for findings in found]}


def as_text(found: Sequence[Findings[StreamTrial]], setting: Mapping[str, Any]) -> str:
    return "\n".join([*settings(setting), *map(_text, found)])


def _document(findings: Findings[StreamTrial]) -> dict[str, Any]:
    figures = findings.figures()
    return {
        "keys": findings.keys,
        "figures": {name: asdict(each) for name, each in figures.items()},
        "ratios_to_handwritten": ratios(figures),
        "swaps": _swaps(findings),
        "rounds": findings.rounds(),
    }


def _text(findings: Findings[StreamTrial]) -> str:
    figures = findings.figures()
    lines = [f"\n{findings.keys} keys", *table(figures, LABELS)]
    lines += [_beside(name, found) for name, found in ratios(figures).items()]
    lines += [f"{LABELS[name]}: {count} records behind a later one of their key" for name, count in _swaps(findings)]
    return "\n".join(lines)


def _beside(name: str, found: Mapping[str, float]) -> str:
    head = f"{LABELS[name]}, beside the hand-written loop\n  rate: {found['rate']:.2f} times"
    if name in CPU_TARGETS:
        return f"{head}\n  {cpu_line(found, CPU_TARGETS[name])}"
    return f"{head}\n  CPU: 1/{1 / found['cpu']:.1f}, without start-up 1/{1 / found['cpu_without_start']:.1f}"


def _swaps(findings: Findings[StreamTrial]) -> list[tuple[str, int]]:
    """In all trials of each program, where there were any."""
    counts = ((name, sum(trial.swaps for trial in trials)) for name, trials in findings.trials.items())
    return [(name, count) for name, count in counts if count]
