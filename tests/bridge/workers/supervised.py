"""``kmbridge run`` with several workers that are stand-ins: a program.

Arguments: a configuration, the port of the test's stage, and how many workers.
"""

import asyncio
import os
import sys

from bridge.cli.run import supervise
from bridge.config import load
from bridge.telemetry.logging import LogFormat, configure_logging
from tests.bridge.workers.stage import Stage


def main(config: str, port: int, count: int) -> int:
    configure_logging(LogFormat.JSON, "info")
    stage = Stage()
    stage.port = port
    return asyncio.run(supervise(load([config], environment=os.environ), "1.2.3", count, stage.command))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
