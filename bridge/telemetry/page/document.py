"""The page as one document that needs nothing else, with a policy under which nothing else could run in it."""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

_SCRIPTS = (
    "numbers.js",
    "elements.js",
    "stream.js",
    "model.js",
    "chart.js",
    "lanes.js",
    "mirrors.js",
    "parts.js",
    "details.js",
    "door.js",
    "page.js",
)
"""In the order in which they build on each other."""

_STYLE_PLACE = "/* page.css */"
_SCRIPT_PLACE = "/* scripts */"


@dataclass(frozen=True, slots=True)
class Page:
    """A document of HTML, and what keeps foreign code out of it."""

    html: bytes
    """UTF-8."""
    policy: str
    """The value of ``Content-Security-Policy`` that it is to be sent with."""


def assembled() -> Page:
    """Put the parts together. Reads files of the installation: blocks."""
    parts = files(__package__)
    style = parts.joinpath("page.css").read_text("utf-8")
    script = '"use strict";\n' + "\n".join(parts.joinpath(name).read_text("utf-8") for name in _SCRIPTS)
    frame = parts.joinpath("page.html").read_text("utf-8")
    html = frame.replace(_STYLE_PLACE, style).replace(_SCRIPT_PLACE, script)
    return Page(html.encode(), _policy(style, script))


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {source_hash(script)}",
            f"style-src {source_hash(style)}",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
