"""Keys and values of the surface that this version does not have: the one table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.config.document import Document, Path
from bridge.config.errors import Problem
from bridge.errors import not_yet


@dataclass(frozen=True, slots=True)
class Lacking:
    """One key, or some values of it, to come in a later version."""

    key: str
    what: str
    instead: str
    values: tuple[str, ...] = ()
    """Refused are these values, or sections with one of these keys; empty: every value but those in ``harmless``."""
    harmless: tuple[Any, ...] = (None,)

    def refuses(self, value: Any) -> bool:
        if not self.values:
            return value not in self.harmless
        return not self._found(value).isdisjoint(self.values)

    def _found(self, value: Any) -> set[Any]:
        return set(value) if isinstance(value, dict) else {value} if isinstance(value, str) else set()

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.key.split("."))


LACKING = (Lacking("transforms", "transforms", "leave them out", harmless=(None, [])),)

KNOWN_LATER: tuple[tuple[str, ...], ...] = tuple(lack.path for lack in LACKING)


def refused(document: Document) -> Iterator[tuple[Path, Problem]]:
    """Every place in ``document`` that asks for what this version lacks."""
    for lack in LACKING:
        for value in document.find(lack.path):
            if lack.refuses(value):
                yield lack.path, document.problem(lack.path, not_yet(lack.what, lack.instead))
