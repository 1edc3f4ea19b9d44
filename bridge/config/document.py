"""A configuration as written: plain values, and for each of them the place where it stands."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.config.errors import Problem

Path = tuple[str | int, ...]
"""Keys and list indexes from the root to a value."""

_CHOICES = frozenset({"source", "sink", "checkpoints", "dead_letter", "auth"})
"""The sections of which exactly one key is given."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value was written, and how."""

    where: str
    line: int | None = None
    text: str | None = None
    """A scalar as written, variables not yet put in; None for sections and lists."""


@dataclass(slots=True)
class Document:
    """Grows while it is read: file first, options over it."""

    root: dict[str, Any] = field(default_factory=dict)
    marks: dict[Path, Mark] = field(default_factory=dict)
    begins: Mark | None = None
    """Where one that lies over another is written; None: it lies over none."""

    def mark(self, path: Path) -> Mark:
        """The mark of the value at ``path``, or of the nearest section around it."""
        for end in range(len(path), -1, -1):
            found = self.marks.get(path[:end])
            if found is not None:
                return found
        return Mark("configuration")

    def problem(self, path: Path, message: str) -> Problem:
        mark = self.mark(path)
        # An option's or a URL's place names its key already.
        key = "" if mark.line is None and mark.where.endswith(dotted(path)) else dotted(path)
        return Problem(mark.where, key, message, mark.line)

    def lacks(self, path: Path, message: str) -> Problem:
        """A problem of what is not there: where another document lies beneath, the one at fault is the one above."""
        if self.begins is None:
            return self.problem(path, message)
        return Problem(self.begins.where, dotted(path), message, self.begins.line)

    def put(self, path: tuple[str, ...], value: Any, marks: Mapping[Path, Mark]) -> None:
        """Set the value at ``path``; what stands in the way (``auto`` where a section is needed) gives way.

        ``marks`` are those of the value and all inside it, by full path.
        """
        section = self.root
        for key in path[:-1]:
            inner = section.get(key)
            if not isinstance(inner, dict):
                inner = section[key] = {}
            section = inner
        section[path[-1]] = value
        for old in [known for known in self.marks if known[: len(path)] == path]:
            del self.marks[old]
        self.marks.update(marks)

    def find(self, path: Path) -> Iterator[Any]:
        """The value at ``path``, or nothing where there is none."""
        value: Any = self.root
        for key in path:
            if isinstance(value, str):
                return
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return
        yield value

    def part(self, path: Path) -> "Document":
        """The section at ``path`` as a document of its own; an empty one where there is none."""
        root: dict[str, Any] = next(self.find(path), {})
        marks = {known[len(path) :]: mark for known, mark in self.marks.items() if known[: len(path)] == path}
        return Document(copy.deepcopy(root), marks)

    def laid_over(self, beneath: "Document") -> "Document":
        """What this says, and where it says nothing what stands ``beneath``, key by key.

        Of sections that choose one of their keys the choice made here holds, with what is beneath for it.
        """
        return Document(_laid_over(self.root, beneath.root, ""), {**beneath.marks, **self.marks}, self.mark(()))


def _laid_over(over: dict[str, Any], beneath: Mapping[str, Any], name: str) -> dict[str, Any]:
    is_chosen = name in _CHOICES and over
    both = {} if is_chosen else {key: copy.deepcopy(each) for key, each in beneath.items()}
    for key, value in over.items():
        under = beneath.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            both[key] = _laid_over(value, under, key)
        else:
            both[key] = value
    return both


def dotted(path: Path) -> str:
    """``("sink", "kafka", "bootstrap_servers", 0)`` as ``sink.kafka.bootstrap_servers[0]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text
