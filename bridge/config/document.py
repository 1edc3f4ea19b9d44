"""A configuration as written: plain values, and for each of them the place where it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.config.errors import Problem

Path = tuple[str | int, ...]
"""Keys and list indexes from the root to a value."""


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
            if not isinstance(value, dict) or key not in value:
                return
            value = value[key]
        yield value


def dotted(path: Path) -> str:
    """``("sink", "kafka", "bootstrap_servers", 0)`` as ``sink.kafka.bootstrap_servers[0]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text
