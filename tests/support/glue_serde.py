"""AWS's own serializers and deserializers of Glue's schema registry, in Java: those for Python know no Protobuf."""

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.kinesis_api import REGION
from tests.support.provision import glue_serde_jars

_PROGRAM = Path(__file__).with_name("GlueSerde.java")
_STOP_TIMEOUT_S = 10


class GlueSerde:
    """A process as long as the context is entered, which takes two seconds to start.

    Raises ``MissingServerError`` where the library cannot be had. Methods block until they are answered.
    """

    def __init__(self, glue: str, registry: str) -> None:
        """``glue`` is the URL of what answers as Glue does."""
        program = ("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{glue_serde_jars()}/*", str(_PROGRAM))
        self._command = (*program, glue, registry, REGION)
        self._child: subprocess.Popen[str]

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.communicate(timeout=_STOP_TIMEOUT_S)

    def write(self, form: str, topic: str, *words: str | bytes, compression: str = "none") -> bytes:
        """An object in a frame: of ``avro`` and ``json`` the schema and its JSON; of ``protobuf`` the files, the last
        its own, in a FileDescriptorSet, its message's name and its bytes.
        """
        return b64decode(self._answer(form, topic, compression, words))

    def read(self, topic: str, payload: bytes) -> str:
        """The JSON of the object in ``payload``."""
        return self._answer("read", topic, "-", (payload,))

    def read_message(self, topic: str, payload: bytes) -> tuple[str, bytes]:
        """The full name of the message in ``payload``, and its bytes."""
        name, body = f"{self._answer('read', topic, '-', (payload,))} ".split(" ")[:2]
        return name, b64decode(body)

    def _answer(self, request: str, topic: str, compression: str, words: tuple[str | bytes, ...]) -> str:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        encoded = [b64encode(word.encode() if isinstance(word, str) else word).decode() for word in words]
        self._child.stdin.write(" ".join((request, topic, compression, *encoded)) + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        assert answer, f"{request} {topic}: the program ended"
        return answer.removesuffix("\n")
