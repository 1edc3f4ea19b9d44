"""The mirror under measurement: ``kmbridge run`` as users start it."""

import json
import sys
from pathlib import Path

from bench.load import Load
from bench.servers import Servers
from tests.support.kinesis_api import REGION

READ_SHARE = 1000
"""Far above what the server can give: the limits of AWS, which the mirror keeps, are not what is measured."""


def command(servers: Servers, load: Load, topic: str, folder: Path, *, provenance: bool) -> list[str]:
    """One process, at least once, every default but the pacing: checkpoints in a file and telemetry on."""
    configuration = {
        "name": "bench",
        "source": {
            "kinesis": {
                "stream": load.stream,
                "region": REGION,
                "endpoint_url": servers.kinesis,
                "read_share": READ_SHARE,
            }
        },
        "sink": {
            "kafka": {
                "bootstrap_servers": [servers.kafka],
                "topic": topic,
                "delivery": "at_least_once",
                "compression": "lz4",
            }
        },
        "checkpoints": {"sqlite": {"path": str(folder / "checkpoints.db")}},
        "provenance": "always" if provenance else "never",
        "http": {"listen": "127.0.0.1:0"},
    }
    file = folder / "mirror.yaml"
    file.write_text(json.dumps(configuration))  # JSON is YAML
    return [str(Path(sys.executable).with_name("kmbridge")), "run", str(file)]
