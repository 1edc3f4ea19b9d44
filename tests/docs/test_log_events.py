"""Log events that the pages show."""

import ast
import re
from collections.abc import Iterator

from tests.docs.pages import ROOT, pages

_SHOWN = (
    re.compile(r'"event": "([^"]+)"'),
    re.compile(r"\[(?:debug|info|warning|error) *\] ([^\[\]=]+?)(?: {2,}|$)", re.MULTILINE),
)


def test_every_log_event_in_the_pages_is_one_that_the_program_logs() -> None:
    """What a reader searches the log for, or makes an alarm of, is there."""
    known = {*_texts()}
    assert not [
        f"{piece.where}: {event}"
        for page in pages()
        for piece in (*page.blocks(), *page.spans())
        for pattern in _SHOWN
        for event in pattern.findall(piece.text)
        if event.strip() not in known
    ]


def _texts() -> Iterator[str]:
    """All that stands between quotes in the program: an event may be chosen before it is logged."""
    for package in ("bridge", "connectors", "checkpoints"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
