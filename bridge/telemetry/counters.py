"""Counts what connectors tell from beneath their contract."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from connectors.base import Observer


@dataclass(frozen=True, slots=True)
class Counts:
    """One moment of the counters. They count from the process's start."""

    retries: Mapping[tuple[str, str], int]
    """By operation and reason."""
    throttled: Mapping[str, int]
    """By operation."""
    bytes_before: int
    """Of the records that went through a compression."""
    bytes_after: int
    transform_s: Mapping[str, float] = field(default_factory=dict)
    """By the name of the step."""


class Counters(Observer):
    """The observer of one mirror's connectors."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._retries: Counter[tuple[str, str]] = Counter()
        self._throttled: Counter[str] = Counter()
        self._before = 0
        self._after = 0
        self._transform_s: defaultdict[str, float] = defaultdict(float)

    def retried(self, operation: str, reason: str) -> None:
        with self._lock:
            self._retries[operation, reason] += 1

    def throttled(self, operation: str) -> None:
        with self._lock:
            self._throttled[operation] += 1

    def compressed(self, before: int, after: int) -> None:
        with self._lock:
            self._before += before
            self._after += after

    def transformed(self, step: str, seconds: float) -> None:
        with self._lock:
            self._transform_s[step] += seconds

    def snapshot(self) -> Counts:
        with self._lock:
            return Counts(
                dict(self._retries), dict(self._throttled), self._before, self._after, dict(self._transform_s)
            )
