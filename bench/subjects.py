"""The programs under measurement."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bench.figures import HANDWRITTEN
from bench.load import Load
from bench.mirror import READ_SHARE, Kind, command
from bench.servers import Servers
from bench.trial import Trial, new_topic, run_trial

MIRROR = "kmbridge"
MIRROR_WITH_PROVENANCE = "kmbridge-provenance"
EXACTLY_ONCE = "kmbridge-exactly-once"
EXACTLY_ONCE_WITH_PROVENANCE = "kmbridge-exactly-once-provenance"
_CEILING_S = 600

Command = Callable[[Servers, Load, str, Path], list[str]]


def _handwritten(servers: Servers, load: Load, topic: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "bench.handwritten", servers.kinesis, load.stream, servers.kafka, topic, str(folder)]


SUBJECTS: Mapping[str, Command] = {
    HANDWRITTEN: _handwritten,
    MIRROR: partial(command, Kind(read_share=READ_SHARE)),
    EXACTLY_ONCE: partial(command, Kind(exactly_once=True, read_share=READ_SHARE)),
    MIRROR_WITH_PROVENANCE: partial(command, Kind(provenance=True, read_share=READ_SHARE)),
    EXACTLY_ONCE_WITH_PROVENANCE: partial(command, Kind(exactly_once=True, provenance=True, read_share=READ_SHARE)),
}

COUNTERPARTS: Mapping[str, str] = {EXACTLY_ONCE: MIRROR, EXACTLY_ONCE_WITH_PROVENANCE: MIRROR_WITH_PROVENANCE}
"""Of each that mirrors exactly once the one that differs in nothing but that."""


def try_out(subject: str, servers: Servers, load: Load) -> Trial:
    """Let ``subject`` mirror ``load`` once into a new topic, from the beginning. Raises what ``run_trial`` raises."""
    with tempfile.TemporaryDirectory(prefix="kmbridge-bench-") as scratch, new_topic(servers.kafka) as topic:
        folder = Path(scratch)
        call = SUBJECTS[subject](servers, load, topic, folder)
        return run_trial(call, servers.kafka, topic, load, folder / "output.log")


def read_ceiling(servers: Servers, load: Load) -> tuple[float, float]:
    """Records a second and CPU seconds of a bare reader of ``load``, which is a process of its own."""
    command = [sys.executable, "-m", "bench.ceiling", servers.kinesis, load.stream]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_CEILING_S)
    found = json.loads(done.stdout)
    if found["records"] != load.records:
        raise RuntimeError(f"the bare reader found {found['records']} of {load.records} records")
    return found["records"] / found["seconds"], found["cpu_s"]
