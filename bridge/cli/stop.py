"""What SIGTERM and SIGINT do to a running command."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from threading import Event, Thread
from types import FrameType

from bridge.cli.failure import FAILED

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PATIENCE_S = 30.0
"""Whatever has kept the loop for so long keeps it: nobody gives a container more than a minute or two to end."""

Handler = Callable[[int, FrameType | None], None]


def leave(number: int, _: FrameType | None) -> None:
    """End the process at once with 128 + the signal's number."""
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"forced by a second signal, not drained\n")
    os._exit(128 + number)


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    """While inside, ``handler`` takes the signals; then whoever did before."""
    before = {each: signal.signal(each, handler) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, earlier in before.items():
            signal.signal(each, earlier)


def quitting(code: int = 0) -> AbstractContextManager[None]:
    """While inside, and not yet ``stopping``, a signal ends the process with ``code``: there is nothing to drain."""

    def end(_: int, __: FrameType | None) -> None:
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"stopped before anything was begun\n")
        os._exit(code)

    return _handled_by(end)


def leaving(told: str) -> AbstractContextManager[None]:
    """While inside, a signal ends the process at once with 128 + its number, and says what was ``told``."""

    def end(number: int, _: FrameType | None) -> None:
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{told}\n".encode())
        os._exit(128 + number)

    return _handled_by(end)


@contextmanager
def stopping(
    stop: Callable[[str], None], *, second: Handler = leave, patience_s: float = _PATIENCE_S
) -> Iterator[None]:
    """While inside, the first signal calls ``stop`` with its name in the running loop; a second ends the process.

    The second leaves at once with 128 + n, and even where the loop is blocked: nothing that matters depends on a
    clean end, for checkpoints never run ahead of what is durable. ``second`` takes its place as a signal handler. So
    does a loop that has not called ``stop`` within ``patience_s``: the process ends with 1 then.
    """
    loop, heard = asyncio.get_running_loop(), Event()
    # What is logged then belongs to what runs now.
    context = copy_context()

    def hear(name: str) -> None:
        heard.set()
        stop(name)

    def first(number: int, _: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, second)
        loop.call_soon_threadsafe(hear, signal.Signals(number).name, context=context)
        Thread(target=_leave_unless, args=(heard, patience_s), name="signal", daemon=True).start()

    with _handled_by(first):
        yield


def _leave_unless(heard: Event, patience_s: float) -> None:
    if not heard.wait(patience_s):
        cause = f"not drained: something, as a step of transforms, has blocked the event loop for {patience_s:g} s\n"
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, cause.encode())
        os._exit(FAILED)


def heeding(stop: Callable[[str], None]) -> AbstractContextManager[None]:
    """As ``stopping``, in a process whose supervisor ends it where it must: a second signal is ignored.

    Where the system signals every process of a service, the supervisor's own request is not the second one then.
    """
    return stopping(stop, second=_ignore)


def _ignore(number: int, _: FrameType | None) -> None:
    pass
