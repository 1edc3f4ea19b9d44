"""The project's Markdown, taken apart: headings, links, blocks and pieces of code, each with its line."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
MARKER = re.compile(r"<!-- illustrative: .+ -->")
"""Before a block that no parser is asked about, with the reason."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a page, ``where`` as editors take it: ``docs/jobs.md:12``."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Block(Piece):
    """A fenced block in ``language``, the empty text where none is named."""

    language: str
    is_illustrative: bool


@dataclass(frozen=True, slots=True)
class Page:
    path: Path
    tokens: tuple[Token, ...]

    @property
    def title(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def blocks(self) -> Iterator[Block]:
        """All fenced blocks."""
        before = ""
        for token in self.tokens:
            if token.type == "fence":
                marked = MARKER.search(before) is not None
                yield Block(self._where(token), token.content, token.info.strip(), marked)
            before = token.content if token.type == "html_block" else ""

    def spans(self) -> Iterator[Piece]:
        """What stands between backticks in the text."""
        yield from self._inline("code_inline")

    def texts(self) -> Iterator[Piece]:
        """All that is not code."""
        yield from self._inline("text")

    def links(self) -> Iterator[Piece]:
        """Where links lead and images are."""
        for token in self.tokens:
            for child in token.children or ():
                target = child.attrs.get("href") or child.attrs.get("src")
                if target is not None:
                    yield Piece(self._where(token), str(target))

    def anchors(self) -> set[str]:
        """What a link to this page may end with: headings that the site and a repository's page name alike."""
        found = set()
        for index, token in enumerate(self.tokens):
            if token.type == "heading_open":
                inline = self.tokens[index + 1]
                text = "".join(child.content for child in inline.children or ())
                found |= {_site_anchor(text)} & {_repository_anchor(text)}
        return found

    def _inline(self, kind: str) -> Iterator[Piece]:
        for token in self.tokens:
            for child in token.children or ():
                if child.type == kind:
                    yield Piece(self._where(token), child.content)

    def _where(self, token: Token) -> str:
        line = token.map[0] + 1 if token.map is not None else 0
        return f"{self.title}:{line}"


@cache
def pages() -> tuple[Page, ...]:
    """README and its neighbours, all of docs/, and what stands beside the files of deploy/."""
    markdown = MarkdownIt("commonmark").enable("table")
    paths = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")]
    return tuple(Page(path, tuple(markdown.parse(path.read_text(encoding="utf-8")))) for path in sorted(paths))


def blocks(*languages: str) -> list[Block]:
    """Those in one of ``languages``, but for the ones that are marked as illustrative."""
    every = (block for page in pages() for block in page.blocks())
    return [block for block in every if block.language in languages and not block.is_illustrative]


def spans() -> list[Piece]:
    return [span for page in pages() for span in page.spans()]


def _site_anchor(text: str) -> str:
    """As Python-Markdown makes them."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def _repository_anchor(text: str) -> str:
    """As GitHub and its like make them."""
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
