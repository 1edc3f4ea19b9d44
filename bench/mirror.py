"""The mirror under measurement: ``kmbridge run`` as users start it."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import Load
from bench.servers import Servers
from tests.support.kinesis_api import REGION

READ_SHARE = 1000
"""Far above what the server can give: the limits of AWS, which the mirror keeps, are not what is measured."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is asked of a mirror. All else is its defaults: telemetry on, and with ``exactly_once`` a transaction each
    100 ms with the checkpoints in the sink's cluster; without it they are in a file.
    """

    exactly_once: bool = False
    provenance: bool = False
    read_share: float = 1.0
    listen: str = "127.0.0.1:0"

    def configuration(self, servers: Servers, stream: str, topic: str, folder: Path) -> dict[str, Any]:
        source = {"stream": stream, "region": REGION, "endpoint_url": servers.kinesis, "read_share": self.read_share}
        sink = {"bootstrap_servers": [servers.kafka], "topic": topic, "compression": "lz4"}
        file = {"sqlite": {"path": str(folder / "checkpoints.db")}}
        return {
            # Checkpoints of all mirrors are in one topic: each trial's has a name of its own there.
            "name": topic,
            "source": {"kinesis": source},
            "sink": {"kafka": {**sink, "delivery": "exactly_once" if self.exactly_once else "at_least_once"}},
            "checkpoints": "auto" if self.exactly_once else file,
            "provenance": "always" if self.provenance else "never",
            "http": {"listen": self.listen},
        }

    def command(self, servers: Servers, stream: str, topic: str, folder: Path) -> list[str]:
        """One process that mirrors ``stream`` into ``topic``, with its files in ``folder``."""
        file = folder / "mirror.yaml"
        file.write_text(json.dumps(self.configuration(servers, stream, topic, folder)))  # JSON is YAML
        return [str(Path(sys.executable).with_name("kmbridge")), "run", str(file)]


def command(kind: Kind, servers: Servers, load: Load, topic: str, folder: Path) -> list[str]:
    return kind.command(servers, load.stream, topic, folder)
