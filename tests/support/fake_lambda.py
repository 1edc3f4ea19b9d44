"""AWS Lambda's Invoke, as far as the bridge calls it: handlers run here as Lambda's runtime for Python runs them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import unquote

from tests.support.http_double import Double, doubled

LARGEST = 6 * 1024 * 1024
"""Bytes of a request, and of an answer (Lambda quotas)."""


@dataclass
class FakeLambda:
    """What it has, to be changed by a test, and what it was asked."""

    url: str = ""
    handlers: dict[str, Callable[[Any, Any], object]] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Status and code with which the next calls are refused."""
    dry_runs: list[str] = field(default_factory=list)
    """Functions that were asked for without being run."""
    calls: int = 0
    """How often a handler was run."""


class _Invocation(Double):
    protocol_version = "HTTP/1.1"
    fake: ClassVar[FakeLambda]

    def do_POST(self) -> None:  # noqa: N802  # the library's name
        body = self.body()
        function = unquote(self.path).removeprefix("/2015-03-31/functions/").removesuffix("/invocations")
        if self.fake.faults:
            self._refuse(*self.fake.faults.pop(0))
        elif function not in self.fake.handlers:
            self._refuse(404, "ResourceNotFoundException")
        elif self.headers["X-Amz-Invocation-Type"] == "DryRun":
            self.fake.dry_runs.append(function)
            self._send(204, b"", {})
        elif len(body) > LARGEST:
            self._refuse(413, "RequestTooLargeException")
        else:
            self._run(self.fake.handlers[function], json.loads(body))

    def _run(self, handler: Callable[[Any, Any], object], event: object) -> None:
        self.fake.calls += 1
        try:
            answer = json.dumps(handler(event, None)).encode()
        except Exception as error:  # noqa: BLE001 - as Lambda, whatever it is
            failure = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            self._send(200, json.dumps(failure).encode(), {"X-Amz-Function-Error": "Unhandled"})
        else:
            self._send(200, answer, {})

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, json.dumps({"Type": "User", "Message": "not now"}).encode(), {"x-amzn-ErrorType": code})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send(status, body, "application/json", headers)


@contextmanager
def fake_lambda() -> Iterator[FakeLambda]:
    """A server of its own, as long as the context is entered."""
    fake = FakeLambda()
    with doubled(type("Invocation", (_Invocation,), {"fake": fake})) as url:
        fake.url = url
        yield fake
