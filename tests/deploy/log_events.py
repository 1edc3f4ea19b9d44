"""What the program logs as warning or error, found in its code."""

import ast
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_LEVELS = frozenset({"warning", "error"})
_PASSED_ON = "%s"
"""The text is another's, who says itself what it is about."""


def urgent_events() -> set[str]:
    """The event of every call of ``log.warning`` and ``log.error`` that is written out."""
    return {event for node in _nodes() for event in _events(node)} - {_PASSED_ON}


def texts() -> set[str]:
    """All that stands between quotes: an event may be logged at a level that is chosen before."""
    return {node.value for node in _nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@cache
def _nodes() -> list[ast.AST]:
    files = (file for package in ("bridge", "connectors", "checkpoints") for file in (_ROOT / package).rglob("*.py"))
    return [node for file in files for node in ast.walk(ast.parse(file.read_bytes()))]


def _events(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    # Also of one that is made in a thread: to_thread(log.warning, "event").
    for method, text in pairwise((node.func, *node.args)):
        is_log = isinstance(method, ast.Attribute) and method.attr in _LEVELS and _is_named_log(method.value)
        if is_log and isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield text.value


def _is_named_log(value: ast.AST) -> bool:
    """As every module names its own: a finding of the doctor may be a warning, too."""
    return isinstance(value, ast.Name) and value.id == "log"
