"""What `make docs` does beside rendering: the changelog as a page, all decisions, and nothing from elsewhere."""

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

_FOREIGN = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=["']?(?:https?:)?//[^>]*>""")


def on_config(config: Any) -> Any:
    """A folder in the navigation stands for its pages, in the order of their names."""
    config.nav = [_expanded(entry, Path(config.docs_dir)) for entry in config.nav]
    return config


def on_files(files: Any, config: Any) -> Any:
    """The changelog stands beside the README; its links lead from there."""
    text = Path(config.config_file_path).with_name("CHANGELOG.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "changelog.md", content=text.replace("](docs/", "](")))
    return files


def on_post_page(output: str, page: Any, config: Any) -> str:
    """A page that would ask another host for something is an error."""
    if found := _FOREIGN.search(output):
        raise PluginError(f"{page.file.src_uri} asks another host: {found[0]}")
    return output


def _expanded(entry: Any, root: Path) -> Any:
    if not isinstance(entry, dict):
        return entry
    [(title, value)] = entry.items()
    if not (isinstance(value, str) and value.endswith("/")):
        return entry
    pages = sorted(page.relative_to(root).as_posix() for page in (root / value).glob("*.md"))
    # README.md, the folder's own page, comes first: upper case is before digits for nobody but us.
    return {title: sorted(pages, key=lambda page: not page.endswith("README.md"))}
