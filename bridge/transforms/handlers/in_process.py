"""A handler in this process."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from bridge.leavable_thread import LeavableThread
from bridge.transforms.handlers.handler import Handler, HandlerError
from bridge.transforms.loading import is_async, load
from bridge.transforms.patience import Patience
from bridge.transforms.turns import Turns
from bridge.transforms.unfit import MENDED
from connectors.base import SettingsError

EXITED = "Runtime.ExitError"
UNWRITABLE = "Runtime.MarshalError"


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler is told of its call beside the event, as far as there is something to tell."""

    function_name: str
    ends: float
    """When the call is given up, by ``time.monotonic``."""
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "0"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    client_context: None = None
    identity: None = None

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return "kmbridge"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.ends - monotonic()) * 1000))


class InProcess(Handler):
    """Called in a thread of its own, one event at a time, as Lambda does it in one environment."""

    def __init__(self, reference: str, folder: Path, timeout_s: float) -> None:
        """``reference`` is ``MODULE:FUNCTION``, looked for in ``folder`` first."""
        self._reference = reference
        self._folder = folder
        self._patience = Patience(self.name, timeout_s)
        self._thread: LeavableThread | None = None
        self._turns: Turns | None = None
        self._function: Callable[..., object] | None = None

    @property
    def name(self) -> str:
        return f"python {self._reference}"

    @property
    def remedy(self) -> str:
        return MENDED

    async def __aenter__(self) -> Self:
        self._thread = thread = LeavableThread(self.name)
        try:
            self._function = await asyncio.wrap_future(thread.submit(self._loaded))
        except BaseException:
            thread.end()
            raise
        self._turns = Turns(thread, self._patience)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Does not wait for a handler that is at work."""
        if self._thread is not None:
            self._thread.end()

    async def call(self, event: bytes) -> bytes:
        assert self._turns is not None  # noqa: S101 - it is entered
        return await self._turns.call(partial(self._called, event))

    def _loaded(self) -> Callable[..., object]:
        function = load(self._reference, self._folder)
        if is_async(function):
            raise SettingsError(f"load {self._reference}", "it is async", "Lambda calls plain functions alone")
        return function

    def _called(self, event: bytes) -> bytes:
        assert self._function is not None  # noqa: S101 - it is entered
        context = Context(self._reference.rpartition(":")[2], monotonic() + self._patience.timeout_s)
        told: Any = json.loads(event)
        try:
            answer = self._function(told, context)
        except SystemExit as error:
            raise HandlerError(EXITED, f"exit status {error.code}") from error
        except BaseException as error:
            # Whatever it is: Lambda tells its name, and what it says.
            raise HandlerError(type(error).__name__, str(error)) from error
        try:
            return json.dumps(answer).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise HandlerError(UNWRITABLE, f"the answer cannot be written as JSON: {error}") from error
