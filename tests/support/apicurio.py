"""Apicurio, a schema registry that answers as Confluent's does. It keeps everything in memory."""

from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.support.ports import HOST, free_port
from tests.support.processes import ServerProcess
from tests.support.provision import apicurio_jar


class Apicurio(ServerProcess):
    """On a port of its own."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.address = f"http://{HOST}:{port}/apis/ccompat/v7"
        """What clients of Confluent's registry are told."""
        program = ("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(apicurio_jar()))
        # The folder is in no setting; its command is found by it when the run ends.
        options = (f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={port}", f"-Dkmbridge.folder={folder}")
        command = [program[0], *options, *program[1:]]
        super().__init__(command, folder / "apicurio.log", self._is_ready, {"LOG_LEVEL": "WARN"})

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.address}/schemas/types", timeout=1):
                return True
        except (URLError, OSError):
            return False
