"""Every program in turn, several times over."""

import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bench.figures import CEILING, Findings, Measured

T = TypeVar("T", bound=Measured)


@dataclass(frozen=True, slots=True)
class Asked:
    """How much is measured. ``keys`` None is the default, ``only`` None all programs."""

    records: int
    keys: int | None
    repeat: int
    only: Sequence[str] | None

    def chosen(self, programs: Iterable[str]) -> list[str]:
        return [name for name in programs if self.only is None or name in self.only]

    def of(self, programs: Iterable[str]) -> bool:
        """Whether one of ``programs`` is to be measured."""
        return bool(self.chosen(programs))


@dataclass(frozen=True, slots=True)
class Contest(Generic[T]):
    """What is tried. ``start`` lets a program mirror a handful of records, ``whole`` all of them."""

    records: int
    keys: int
    programs: Sequence[str]
    ceiling: Callable[[], tuple[float, float]] | None
    start: Callable[[str], T]
    whole: Callable[[str], T]

    def measure(self, repeat: int) -> Findings[T]:
        """``repeat`` rounds, and one trial before them that is not counted."""
        findings = Findings[T](self.records, self.keys)
        if self.programs:
            say("once unmeasured, until the servers are warm")
            self.whole(self.programs[-1])
        for number in range(repeat):
            if self.ceiling is not None:
                findings.ceilings.append(self.ceiling())
                say(f"{CEILING}: {findings.ceilings[-1][0]:,.0f} records/s")
            # Whoever comes first in one round comes last in the next, so that nobody profits from the order.
            turn = number % max(1, len(self.programs))
            for name in (*self.programs[turn:], *self.programs[:turn]):
                self._try_out(findings, name)
        return findings

    def _try_out(self, findings: Findings[T], name: str) -> None:
        findings.starts.setdefault(name, []).append(self.start(name))
        trial = self.whole(name)
        findings.trials.setdefault(name, []).append(trial)
        rate, used = trial.records_per_second(), trial.usage
        say(f"{name}: {rate:,.0f} records/s, {used.cpu_s:.2f} s of CPU, {used.peak_mb:.0f} MB")


def machine() -> str:
    return (
        f"{os.cpu_count()} cores for program, servers and broker together; load average before the end "
        f"{os.getloadavg()[1]:.1f}; Python {platform.python_version()}"
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
