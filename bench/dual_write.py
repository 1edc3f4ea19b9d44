"""What a dual write costs an application, beside a producer that writes to Kafka alone."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.load import PARTITIONS, SHARDS
from bench.process import TrialError
from bench.rounds import say
from bench.servers import Servers
from bench.trial import new_stream, new_topic

PROGRAMS = ("bare", "dual", "shadow away")
SETTING = (
    f"records of 1 KB, half of them random, {PARTITIONS} partitions, {SHARDS} shards, 5,000 without an acknowledgement "
    "at a time;\nCPU of the process from the first call until both ends have all"
)


@dataclass(frozen=True, slots=True)
class Cost:
    records_per_second: float
    """Acknowledged by the authority."""
    even_per_second: float
    """Until the shadow has them too."""
    cpu_s_per_million: float
    peak_mb: float


def measure(servers: Servers, records: int, keys: int, repeat: int) -> Mapping[str, Sequence[Cost]]:
    """Each program in turn, ``repeat`` times. Raises ``TrialError`` where one fails."""
    found: dict[str, list[Cost]] = {program: [] for program in PROGRAMS}
    for number in range(repeat):
        for program in PROGRAMS:
            told = _run(servers, program, records, keys)
            cpu_s = told["cpu_seconds"]
            cost = Cost(
                records / told["seconds"], records / told["even_seconds"], cpu_s / records * 1e6, told["peak_mb"]
            )
            found[program].append(cost)
            say(f"{program}, {number + 1}: {cost.records_per_second:,.0f} records/s, {cpu_s:.2f} s of CPU")
    return found


def as_json(found: Mapping[str, Sequence[Cost]]) -> dict[str, Any]:
    return {program: [asdict(cost) for cost in costs] for program, costs in found.items()}


def as_text(found: Mapping[str, Sequence[Cost]]) -> str:
    lines = [SETTING, "", f"{'':12} {'records/s':>10} {'both ends':>10} {'CPU s/M':>8} {'peak MB':>8}"]
    for program, costs in found.items():
        lines.append(
            f"{program:12} {median(each.records_per_second for each in costs):>10,.0f}"
            f" {median(each.even_per_second for each in costs):>10,.0f}"
            f" {median(each.cpu_s_per_million for each in costs):>8.1f}"
            f" {median(each.peak_mb for each in costs):>8.0f}"
        )
    return "\n".join(lines)


def _run(servers: Servers, program: str, records: int, keys: int) -> dict[str, float]:
    with (
        new_topic(servers.kafka) as topic,
        new_stream(servers.kinesis, SHARDS) as stream,
        tempfile.TemporaryDirectory() as folder,
    ):
        command = [sys.executable, "-m", "bench.dual_sender", program, servers.kafka, topic, servers.kinesis, stream]
        command += [str(records), str(keys), folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise TrialError(f"{program} ended with {ended.returncode}; it printed: {ended.stderr[-2_000:]}")
        told: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
        return told
