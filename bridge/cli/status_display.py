"""One moment of a running mirror after another: on the whole terminal, or a line each."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console
from rich.live import Live

from bridge.cli.status_picture import console, picture
from bridge.telemetry.told import Told

_SCREEN_S = 1.0
_LINES_S = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What was told, as it came and as it is understood."""

    document: Mapping[str, object]
    told: Told
    trouble: str = ""
    """Why it is not of now."""


class Display(Protocol):
    """Shows one moment after another."""

    every_s: float
    """How often it wants to be shown one."""

    def show(self, seen: Seen) -> None:
        """May block."""


@contextmanager
def screen(terminal: Console | None = None) -> Iterator["Screen"]:
    """The whole terminal (default: stdout's), as it was before once it is left."""
    target = terminal or console()
    with Live(console=target, screen=True, auto_refresh=False) as live:
        yield Screen(live, target)


class Screen:
    """The whole terminal, drawn anew each time."""

    every_s = _SCREEN_S

    def __init__(self, live: Live, terminal: Console) -> None:
        self._live = live
        self._terminal = terminal

    def show(self, seen: Seen) -> None:
        self._live.update(picture(seen.told, self._terminal.height, seen.trouble), refresh=True)


class Lines:
    """One JSON document a line."""

    every_s = _LINES_S

    def show(self, seen: Seen) -> None:
        told = {"error": seen.trouble} if seen.trouble else seen.document
        print(json.dumps({"time": datetime.now(UTC).isoformat(), **told}, ensure_ascii=False), flush=True)
