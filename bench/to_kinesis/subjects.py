"""The programs under measurement."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench.figures import HANDWRITTEN
from bench.load import SHARDS
from bench.servers import Servers
from bench.to_kinesis.load import TopicLoad
from bench.to_kinesis.trial import StreamTrial, run_trial
from bench.trial import new_stream
from tests.support.kinesis_api import REGION

RAW = "kmbridge-raw"
KPL = "kmbridge-kpl"
ENVELOPE = "kmbridge-envelope"

_CEILING_S = 600

Command = Callable[[Servers, str, str, Path], list[str]]


def configuration(servers: Servers, topic: str, stream: str, codec: str) -> dict[str, Any]:
    """A mirror with its defaults: telemetry on, checkpoints in the topic's group, origins where the codec has them."""
    return {
        "name": stream,
        "source": {"kafka": {"bootstrap_servers": [servers.kafka], "topic": topic}},
        "sink": {
            "kinesis": {"stream": stream, "region": REGION, "endpoint_url": servers.kinesis, "codec": codec},
        },
        "checkpoints": "auto",
        "provenance": "auto",
        "http": {"listen": "127.0.0.1:0"},
    }


def _handwritten(servers: Servers, topic: str, stream: str, _: Path) -> list[str]:
    return [sys.executable, "-m", "bench.to_kinesis.handwritten", servers.kafka, topic, servers.kinesis, stream]


def _mirror(codec: str, servers: Servers, topic: str, stream: str, folder: Path) -> list[str]:
    file = folder / "mirror.yaml"
    file.write_text(json.dumps(configuration(servers, topic, stream, codec)))  # JSON is YAML
    return [str(Path(sys.executable).with_name("kmbridge")), "run", str(file)]


SUBJECTS: Mapping[str, Command] = {
    HANDWRITTEN: _handwritten,
    RAW: partial(_mirror, "raw"),
    KPL: partial(_mirror, "kpl"),
    ENVELOPE: partial(_mirror, "envelope"),
}


def try_out(subject: str, servers: Servers, load: TopicLoad) -> StreamTrial:
    """Let ``subject`` mirror ``load`` once into a new stream, from the beginning. Raises what ``run_trial`` raises.

    A program that swaps records of a key on a server that refuses nothing fails, but for the hand-written one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="kmbridge-bench-") as scratch,
        new_stream(servers.kinesis, SHARDS) as stream,
    ):
        folder = Path(scratch)
        call = SUBJECTS[subject](servers, load.topic, stream, folder)
        trial, arrivals = run_trial(call, servers.kinesis, stream, load, folder / "output.log")
        if subject != HANDWRITTEN:
            arrivals.judge_order()
        return trial


def write_ceiling(servers: Servers, records: int) -> tuple[float, float]:
    """Records a second and CPU seconds for ``records`` of a bare writer, which is a process of its own."""
    with new_stream(servers.kinesis, SHARDS) as stream:
        command = [sys.executable, "-m", "bench.to_kinesis.ceiling", servers.kinesis, stream, str(records)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_CEILING_S)
    found = json.loads(done.stdout)
    return found["records"] / found["seconds"], found["cpu_s"] * records / found["records"]
