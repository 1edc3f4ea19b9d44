"""A worker of Amazon's client library as a child process, which says what it is given."""

import subprocess
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.kinesis_api import REGION
from tests.support.provision import kcl_jars

_PROGRAM = Path(__file__).with_name("KclConsumer.java")
_STOP_TIMEOUT_S = 40


@dataclass(frozen=True, slots=True)
class Given:
    """A user record as the application sees it."""

    shard: str
    sequence: str
    sub_sequence: int
    data: bytes


class KclWorker:
    """Runs as long as the context is entered; raises ``MissingServerError`` where the library cannot be had.

    Without a lease of its own in a shard it starts at the shard's tip.
    """

    def __init__(self, folder: Path, application: str, stream: str, kinesis: str, dynamodb: str) -> None:
        self._given = folder / f"{application}.records"
        self._log = folder / f"{application}.log"
        program = ("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{kcl_jars()}/*", str(_PROGRAM))
        self._command = (*program, application, stream, REGION, kinesis, dynamodb)
        self._child: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        with self._given.open("wb") as given, self._log.open("wb") as log:
            self._child = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=given, stderr=log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.communicate()

    def given(self) -> list[Given]:
        """All records so far, those of a shard in the order in which they came."""
        assert self._child.poll() is None, self._log.read_text()
        return self._read()

    def stop(self) -> list[Given]:
        """End as an application should, with everything checkpointed. Returns all records that it was given."""
        self._child.communicate(timeout=_STOP_TIMEOUT_S)
        assert self._child.returncode == 0, self._log.read_text()
        return self._read()

    def _read(self) -> list[Given]:
        whole, _, _ = self._given.read_text().rpartition("\n")
        lines = (line.split(" ") for line in whole.splitlines())
        return [Given(shard, sequence, int(sub), b64decode(data)) for shard, sequence, sub, data in lines]
