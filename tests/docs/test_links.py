"""Links between pages."""

from pathlib import Path

from tests.docs.pages import ROOT, Page, pages


def test_every_relative_link_leads_to_a_file_and_its_anchor_to_a_heading() -> None:
    """A reader who follows a link is not left standing."""
    anchors = {page.path: page.anchors() for page in pages()}
    assert not [
        f"{link.where}: {link.text}: {trouble}"
        for page in pages()
        for link in page.links()
        if (trouble := _trouble(page, link.text, anchors))
    ]


def test_pages_of_the_site_link_to_nothing_outside_of_it() -> None:
    """The site holds docs/ alone: what lies elsewhere in the repository is named as a path, not linked."""
    site = ROOT / "docs"
    assert not [
        f"{link.where}: {link.text}"
        for page in pages()
        if page.path.is_relative_to(site)
        for link in page.links()
        if not _is_elsewhere(link.text) and not _target(page, link.text).is_relative_to(site)
    ]


def _trouble(page: Page, link: str, anchors: dict[Path, set[str]]) -> str:
    if _is_elsewhere(link):
        return ""
    target = _target(page, link)
    if not target.exists():
        return "no such file"
    anchor = link.partition("#")[2]
    return "no such heading" if anchor and anchor not in anchors.get(target, set()) else ""


def _is_elsewhere(link: str) -> bool:
    return link.startswith(("http://", "https://", "mailto:"))


def _target(page: Page, link: str) -> Path:
    path = link.partition("#")[0]
    return (page.path.parent / path).resolve() if path else page.path
