"""YAML text to a document, keeping for each value the line on which its key stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from bridge.config.document import Document, Mark, Path
from bridge.config.errors import ConfigurationError, Problem
from bridge.config.variables import VariableError, substitute

_TAG = "tag:yaml.org,2002:"
# Times stay text: what they mean is for the key that holds one to say.
_TEXT = {f"{_TAG}str", f"{_TAG}timestamp"}
_SCALARS = {f"{_TAG}{kind}" for kind in ("null", "bool", "int", "float")}
_MOST_VALUES = 100_000
"""More than any file is written with: aliases of aliases make as many as they like of a few lines."""


@dataclass(slots=True)
class _Reader:
    """Turns nodes into values, noting marks and problems on its way."""

    where: str
    numbered: bool
    """Whether lines say anything: they do in a file, not in an option."""
    environment: Mapping[str, str]
    marks: dict[Path, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    around: list[yaml.Node] = field(default_factory=list)
    constructor: yaml.constructor.SafeConstructor = field(default_factory=yaml.constructor.SafeConstructor)

    def read(self, node: yaml.Node, path: Path, key: yaml.Node | None = None) -> Any:
        if len(self.marks) >= _MOST_VALUES:
            message = f"holds more than {_MOST_VALUES:,} values, each alias counted with all that it stands for"
            raise ConfigurationError([Problem(self.where, "", message)])
        self.marks[path] = self._mark(key or node, node.value if isinstance(node, yaml.ScalarNode) else None)
        if node in self.around:
            return self._fail(path, "this alias stands inside its own anchor")
        self.around.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._section(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, path) if isinstance(node, yaml.ScalarNode) else None
        finally:
            self.around.pop()

    def _section(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        section: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fail(path, "a key must be a plain word")
            elif key.tag == f"{_TAG}merge":
                self._fail(path, "merge keys (<<) are not read here; write the keys out")
            elif key.value in lines:
                self.marks[*path, key.value] = self._mark(key, None)
                self._fail((*path, key.value), f"this key stands twice, first on line {lines[key.value]}")
            else:
                lines[key.value] = key.start_mark.line + 1
                section[key.value] = self.read(value, (*path, key.value), key)
        return section

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        tag, text = node.tag, str(node.value)
        if "${" in text:
            try:
                text = substitute(text, self.environment)
            except VariableError as error:
                return self._fail(path, str(error))
            # Only emptiness is read as YAML would: a password that looks like a number stays the text it is.
            return None if node.style is None and text in ("", "~", "null") else text
        if tag in _TEXT:
            return text
        if tag in _SCALARS:
            try:
                return self.constructor.construct_object(node)
            except (KeyError, ValueError):
                return self._fail(path, f"cannot be read as a YAML {tag.removeprefix(_TAG)}")
        return self._fail(path, f"YAML tag {tag.replace(_TAG, '!!')} is not read here")

    def _mark(self, node: yaml.Node, text: str | None) -> Mark:
        if not self.numbered:
            return Mark(self.where, None, text)
        line = node.start_mark.line + 1
        return Mark(f"{self.where}:{line}", line, text)

    def _fail(self, path: Path, message: str) -> None:
        self.problems.append(Document(marks=self.marks).problem(path, message))


def read_document(text: str, file: str, environment: Mapping[str, str]) -> Document:
    """The document in ``text``, which came from ``file``.

    Raises ``ConfigurationError`` for malformed YAML, keys that stand twice, and variables that are missing.
    """
    node = _compose(text, file)
    if not isinstance(node, yaml.MappingNode):
        found = "nothing" if node is None else "a list" if isinstance(node, yaml.SequenceNode) else "a plain value"
        hint = "allowed: a mapping of keys; `kmbridge config example` prints one"
        raise ConfigurationError([Problem(file, "", f"found {found}; {hint}")])
    reader = _Reader(file, numbered=True, environment=environment)
    root = reader.read(node, ())
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return Document(root, reader.marks)


def read_value(text: str, where: str, path: Path, environment: Mapping[str, str]) -> tuple[Any, dict[Path, Mark]]:
    """One value, as an option or a URL gives it, with the marks of all inside it. Raises ``ConfigurationError``."""
    node = _compose(text, where, numbered=False)
    if node is None:
        return None, {path: Mark(where, None, text)}
    reader = _Reader(where, numbered=False, environment=environment)
    value = reader.read(node, path)
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return value, reader.marks


def _compose(text: str, where: str, *, numbered: bool = True) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        line = mark.line + 1 if mark is not None and numbered else None
        place = f"{where}:{line}" if line is not None else where
        spot = f" at line {line}, column {mark.column + 1}" if mark is not None and numbered else ""
        if mark is not None and "${" in _line(text, mark.line):
            reason += '; between { } or [ ] a variable needs quotes, as "${VAR}"'
        raise ConfigurationError([Problem(place, "", f"not valid YAML{spot}: {reason}", line)]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"not valid YAML: the character {chr(int(error.character))!r} is not allowed"
        raise ConfigurationError([Problem(f"{where}:{line}" if numbered else where, "", message, line)]) from None
    except RecursionError:
        raise ConfigurationError([Problem(where, "", "is nested too deep")]) from None


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number] if number < len(lines) else ""
