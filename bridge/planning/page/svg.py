"""Pieces of SVG. How they look the page's style says, by their classes: its policy allows no other."""

from html import escape


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def box(x: float, y: float, width: float, height: float, kind: str, told: str) -> str:
    title = f"<title>{escape(told)}</title>"
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{kind}">{title}</rect>'


def picture(name: str, told: str, width: int, height: int, pieces: str) -> str:
    """``told`` is what somebody hears who does not see it."""
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-told">'
        f'<title id="{name}-told">{escape(told)}</title>{pieces}</svg>'
    )
