"""Log events that the pages show, and those that have an entry of their own in docs/messages.md."""

import ast
import re
from dataclasses import dataclass, field

import pytest

from tests.docs.pages import ROOT, pages

_SHOWN = (
    re.compile(r'"event": "([^"]+)"'),
    re.compile(r"\[(?:debug|info|warning|error) *\] ([^\[\]=]+?)(?: {2,}|$)", re.MULTILINE),
)
_ENTRY = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sources:
    texts: set[str] = field(default_factory=set)
    """All that stands between quotes: an event may be chosen before it is logged."""
    errors: set[str] = field(default_factory=set)
    """What is logged as an error."""


@pytest.fixture(scope="module")
def sources() -> Sources:
    """What the program says, with ``…`` for what is put in."""
    found = Sources()
    for package in ("bridge", "connectors", "checkpoints"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_bytes())):
                found.texts.update(_text(node))
                match node:
                    case ast.Call(func=ast.Attribute(attr="error"), args=[text, *_]):
                        found.errors.update(_text(text))
    return found


@pytest.fixture(scope="module")
def entries() -> set[str]:
    return set(_ENTRY.findall((ROOT / "docs/messages.md").read_text(encoding="utf-8")))


def test_every_log_event_in_the_pages_is_one_that_the_program_logs(sources: Sources) -> None:
    """What a reader searches the log for, or makes an alarm of, is there."""
    assert not [
        f"{piece.where}: {event}"
        for page in pages()
        for piece in (*page.blocks(), *page.spans())
        for pattern in _SHOWN
        for event in pattern.findall(piece.text)
        if event.strip() not in sources.texts
    ]


def test_every_message_that_has_an_entry_is_logged(sources: Sources, entries: set[str]) -> None:
    """Nobody waits for an alarm on a message that is not written any more."""
    assert entries <= sources.texts


def test_every_error_that_is_logged_has_its_entry(sources: Sources, entries: set[str]) -> None:
    """What asks a person to act says how."""
    assert sources.errors <= entries


def _text(node: ast.AST) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text.replace("%s", "…").removeprefix("…: ")]
    return []
