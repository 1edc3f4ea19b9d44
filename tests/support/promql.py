"""The names in a PromQL expression: enough of the language to find every metric and every label."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<range>\[[^\]]*\])|(?P<number>\d[\w.]*)"""
    r"""|(?P<name>[A-Za-z_:][\w:]*)|(?P<sign>[^\s\w])""",
    re.VERBOSE,
)
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})


@dataclass(slots=True)
class Names:
    """What an expression names."""

    selectors: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    """Each metric, with the labels that it is selected by."""
    grouped: set[str] = field(default_factory=set)
    """The labels by which results are grouped or joined."""


def names_in(expression: str) -> Names:
    """Raises ``ValueError`` where a bracket stays open."""
    found = Names()
    tokens = list(_tokens(expression))
    at = 0
    while at < len(tokens):
        kind, text = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "name" and text in _GROUPING:
            if following == "(":
                labels, at = _enclosed(tokens, at + 1, ")")
                found.grouped.update(labels)
        elif kind == "name" and text not in _WORDS and following != "(":
            if following in _GROUPING:
                # An aggregation that says what it groups by before what it aggregates.
                at += 1
                continue
            labels = []
            if following == "{":
                labels, at = _enclosed(tokens, at + 1, "}")
            found.selectors.append((text, frozenset(labels)))
        at += 1
    return found


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(expression):
        yield str(match.lastgroup), match.group()


def _enclosed(tokens: list[tuple[str, str]], opened: int, closing: str) -> tuple[list[str], int]:
    """The names between the bracket at ``opened`` and ``closing``, and where that stands."""
    for at in range(opened + 1, len(tokens)):
        if tokens[at][1] == closing:
            return [text for kind, text in tokens[opened:at] if kind == "name"], at
    raise ValueError(f"{closing} is missing")
