"""The programs under measurement."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bench import mirror
from bench.load import Load
from bench.servers import Servers
from bench.trial import Trial, new_topic, run_trial

HANDWRITTEN = "handwritten"
MIRROR = "kmbridge"
MIRROR_WITH_PROVENANCE = "kmbridge-provenance"
CEILING = "ceiling"

_CEILING_S = 600

Command = Callable[[Servers, Load, str, Path], list[str]]


def _handwritten(servers: Servers, load: Load, topic: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "bench.handwritten", servers.kinesis, load.stream, servers.kafka, topic, str(folder)]


SUBJECTS: Mapping[str, Command] = {
    HANDWRITTEN: _handwritten,
    MIRROR: partial(mirror.command, provenance=False),
    MIRROR_WITH_PROVENANCE: partial(mirror.command, provenance=True),
}


def try_out(subject: str, servers: Servers, load: Load) -> Trial:
    """Let ``subject`` mirror ``load`` once into a new topic, from the beginning. Raises what ``run_trial`` raises."""
    with tempfile.TemporaryDirectory(prefix="kmbridge-bench-") as scratch, new_topic(servers.kafka) as topic:
        folder = Path(scratch)
        command = SUBJECTS[subject](servers, load, topic, folder)
        return run_trial(command, servers.kafka, topic, load, folder / "output.log")


def read_ceiling(servers: Servers, load: Load) -> tuple[float, float]:
    """Records a second and CPU seconds of a bare reader of ``load``, which is a process of its own."""
    command = [sys.executable, "-m", "bench.ceiling", servers.kinesis, load.stream]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_CEILING_S)
    found = json.loads(done.stdout)
    if found["records"] != load.records:
        raise RuntimeError(f"the bare reader found {found['records']} of {load.records} records")
    return found["records"] / found["seconds"], found["cpu_s"]
