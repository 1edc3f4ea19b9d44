"""A server as a child process: started, stopped, killed, frozen, and started again in its place."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.waiting import DeadlineError, wait_until

_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 20
_LOG_TAIL = 2_000


class ServerError(Exception):
    """The server did not start. Holds the end of what it printed."""


class ServerProcess:
    """Runs ``command`` as long as the context is entered. All methods block until they are done."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = list(command)
        self._log = log
        self._ready = ready
        self._environment = dict(environment or {})
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_up(self) -> bool:
        """Whether it was started and neither stopped nor killed since; frozen counts."""
        return self._child is not None

    def start(self) -> None:
        """Start it and return when it answers. Raises ``ServerError`` when it ends before that or never answers."""
        if self._child is not None:
            raise RuntimeError(f"{self._command[0]} runs already")
        with self._log.open("ab") as log:
            # A session of its own: an interrupt at the terminal reaches the tests alone, and they stop their servers.
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self._environment,
                start_new_session=True,
            )
        try:
            wait_until(self._answers, f"start of {self._command[0]}", _START_TIMEOUT_S)
        except DeadlineError as error:
            self.kill()
            raise ServerError(f"{error}; it printed: {self._printed()}") from error

    def stop(self) -> None:
        """End it as an administrator would, and by force if that takes too long. Without effect when it is down."""
        if self._child is None:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        try:
            self._child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._child.wait()
        self._child = None

    def kill(self) -> None:
        """End it without a chance to write or say anything. Without effect when it is down."""
        if self._child is None:
            return
        self._signal(signal.SIGKILL)
        self._child.wait()
        self._child = None

    def freeze(self) -> None:
        """Let it hang, connections open, until ``thaw``."""
        self._running()
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._running()
        self._signal(signal.SIGCONT)

    def _answers(self) -> bool:
        code = self._running().poll()
        if code is not None:
            self._child = None
            raise ServerError(f"{self._command[0]} ended with {code}; it printed: {self._printed()}")
        return self._ready()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise RuntimeError(f"{self._command[0]} is not running")
        return self._child

    def _signal(self, number: signal.Signals) -> None:
        # Popen sends nothing to a child that ended, whose number may be another process's by now.
        self._running().send_signal(number)

    def _printed(self) -> str:
        return self._log.read_text(errors="replace")[-_LOG_TAIL:] or "(nothing)"
