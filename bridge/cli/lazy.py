"""Commands which are imported when they are called, so that the others start fast and need nothing of theirs."""

import gc
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any

import typer
from typer.core import TyperCommand

_YOUNG = 20_000
"""Objects that may be made, and not freed, before the garbage collector looks through them. By Python's default, 700,
it would look several times through the 2,000 messages of a fetch, all of which are freed without it.
"""


class LazyCommand(TyperCommand):
    """Stands for the command at ``target``, ``module:name`` of a function or of a ``typer.Typer``."""

    def __init__(self, name: str, target: str, line: str, *, unbegun: int | None = None) -> None:
        """``unbegun`` is the exit code where a signal comes before the command is there; None: 128 and its number."""
        super().__init__(name, help=line)
        self._target = target
        self._unbegun = unbegun

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real command, which is what is invoked in the end."""
        return self._load().make_context(info_name, args, parent, **extra)

    def _load(self) -> Any:
        module, _, name = self._target.partition(":")
        with lasting(), _leaving(self._unbegun):
            found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(self.name)(found)
        return typer.main.get_command(single)


@contextmanager
def lasting() -> Iterator[None]:
    """What is made meanwhile lives as long as the process: the garbage collector never looks through it.

    It looks seldom through what is made later.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(_YOUNG)
        gc.enable()


@contextmanager
def _leaving(code: int | None) -> Iterator[None]:
    """While inside, a signal ends the process in silence: Python would show in which import it was."""

    def leave(number: int, _: FrameType | None) -> None:
        os._exit(128 + number if code is None else code)

    if threading.current_thread() is not threading.main_thread():
        # Elsewhere Python takes no handlers, and signals are somebody else's.
        yield
        return
    before = {each: signal.signal(each, leave) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, earlier in before.items():
            signal.signal(each, earlier)
