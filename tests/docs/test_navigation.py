"""The site's navigation."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml

from tests.docs.pages import ROOT

_DOCS = ROOT / "docs"
_MADE_WITH_THE_SITE = "changelog.md"


def test_every_page_has_one_place_in_the_navigation() -> None:
    """Nothing is written that nobody finds, and no entry leads nowhere."""
    listed = Counter(_pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    written = {page.relative_to(_DOCS).as_posix() for page in _DOCS.rglob("*.md")}
    assert listed == Counter({_MADE_WITH_THE_SITE, *written})


def _pages(entry: Any) -> Iterator[str]:
    """A folder stands for all of its pages."""
    if isinstance(entry, str):
        folder = (_DOCS / entry).glob("*.md") if entry.endswith("/") else ()
        yield from [page.relative_to(_DOCS).as_posix() for page in folder] or [entry]
    else:
        for inner in entry.values() if isinstance(entry, dict) else entry:
            yield from _pages(inner)
