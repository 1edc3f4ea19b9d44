"""Command lines that the pages show."""

import re
import shlex
from collections.abc import Iterator

from tests.docs.pages import Piece, blocks, spans

_BEFORE = re.compile(r"^\s*(?:\$ )?(?:[A-Z_]+=\S* )*")
_ALTERNATIVES = re.compile(r"\(?(\w[\w-]*(?:\|\w[\w-]*)+)\)?")
_ENDS = {"|", ">", "2>", "&", "&&", ";"}


def whole_commands() -> list[Piece]:
    """Every command line of the program in a block for a shell."""
    return [
        Piece(block.where, command)
        for block in blocks("", "sh", "bash", "console")
        for line in block.text.replace("\\\n", " ").splitlines()
        for part in line.split(" && ")
        if (command := _BEFORE.sub("", part)).startswith("kmbridge ")
    ]


def mentioned_commands() -> list[Piece]:
    """What the text calls commands, which may leave arguments out; ``list|set`` stands for each of them."""
    return [
        Piece(span.where, command)
        for span in spans()
        if span.text.startswith("kmbridge ")
        for command in _each_of(span.text)
    ]


def arguments(command: str) -> list[str]:
    """Those that the program gets: no comment, and nothing of what follows in a pipeline."""
    words = shlex.split(command, comments=True)[1:]
    return words[: next((index for index, word in enumerate(words) if word in _ENDS), len(words))]


def _each_of(command: str) -> Iterator[str]:
    match = _ALTERNATIVES.search(command)
    if match is None:
        yield command
        return
    for choice in match[1].split("|"):
        yield from _each_of(command[: match.start()] + choice + command[match.end() :])
