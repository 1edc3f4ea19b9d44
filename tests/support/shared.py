"""One broker, one Kinesis server and one schema registry for a whole test run, however many processes it has.

The first test that needs a server starts it, whichever process it is in; the main process ends it. Between them they
know only a folder: it holds a lock, and a file of each server's address and process.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.apicurio import Apicurio
from tests.support.ferrokinesis import Ferrokinesis
from tests.support.file_lock import locked
from tests.support.kafka import KafkaBroker
from tests.support.provision import KAFKA_VARIABLE, KINESIS_VARIABLE
from tests.support.secured_kafka import SecuredKafka, add_users, secured_broker
from tests.support.waiting import DeadlineError, wait_until

_STOP_TIMEOUT_S = 10


class SharedServers:
    """The servers of one test run, seen from one of its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[KafkaBroker | Ferrokinesis | Apicurio] = []

    @classmethod
    def create(cls) -> "SharedServers":
        """Called once a run, by the process which will call ``stop``."""
        return cls(Path(tempfile.mkdtemp(prefix="kmbridge-tests-")))

    def kafka(self) -> str:
        """``host:port``. Raises ``MissingServerError`` where there is no broker to be had."""
        return os.environ.get(KAFKA_VARIABLE) or self._address("kafka", _start_kafka)

    def kinesis(self) -> str:
        """``http://host:port``. Raises ``MissingServerError`` where there is no server to be had."""
        return os.environ.get(KINESIS_VARIABLE) or self._address("kinesis", _start_kinesis)

    def registry(self) -> str:
        """Its URL. Raises ``MissingServerError`` where there is no schema registry to be had."""
        return self._address("registry", _start_registry)

    def secured_kafka(self) -> SecuredKafka:
        """Raises ``MissingServerError`` where there is no broker to be had."""
        return SecuredKafka(**self._noted("secured-kafka", _start_secured_kafka))

    def stop(self) -> None:
        """End the servers, also those that other processes of the run started, which have ended by now."""
        for server in self._started:
            server.stop()
        for note in self.folder.glob("*.json"):
            _end(json.loads(note.read_text())["pid"], self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _address(self, name: str, start: Callable[[Path], KafkaBroker | Ferrokinesis | Apicurio]) -> str:
        def addressed(folder: Path) -> tuple[KafkaBroker | Ferrokinesis | Apicurio, Mapping[str, str]]:
            server = start(folder)
            return server, {"address": server.address}

        return self._noted(name, addressed)["address"]

    def _noted(
        self, name: str, start: Callable[[Path], tuple[KafkaBroker | Ferrokinesis | Apicurio, Mapping[str, str]]]
    ) -> Mapping[str, str]:
        """What ``start`` told of the server that it started, in whatever process of the run that was."""
        note = self.folder / f"{name}.json"
        with locked(self.folder / f"{name}.lock"):
            if not note.exists():
                home = self.folder / name
                home.mkdir(exist_ok=True)
                server, told = start(home)
                self._started.append(server)
                note.write_text(json.dumps({"told": told, "pid": server.pid}))
        told_to_all: Mapping[str, str] = json.loads(note.read_text())["told"]
        return told_to_all


def _start_kafka(folder: Path) -> KafkaBroker:
    broker = KafkaBroker(folder)
    broker.start()
    return broker


def _start_secured_kafka(folder: Path) -> tuple[KafkaBroker, Mapping[str, str]]:
    broker, secured = secured_broker(folder)
    broker.start()
    add_users(secured.plain)
    return broker, secured.note()


def _start_kinesis(folder: Path) -> Ferrokinesis:
    marker = folder / "empty.toml"  # for `_is_ours`: nothing else in its command would name the folder
    marker.touch()
    server = Ferrokinesis(folder, config=marker)
    server.start()
    return server


def _start_registry(folder: Path) -> Apicurio:
    server = Apicurio(folder)
    server.start()
    return server


def _end(pid: int, folder: Path) -> None:
    """End the server with that number, if it is still ours: its command names our folder."""
    if not _is_ours(pid, folder):
        return
    os.kill(pid, signal.SIGTERM)
    try:
        wait_until(lambda: not _is_ours(pid, folder), f"end of server {pid}", _STOP_TIMEOUT_S)
    except DeadlineError:
        os.kill(pid, signal.SIGKILL)


def _is_ours(pid: int, folder: Path) -> bool:
    listing = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(folder) in listing.stdout
