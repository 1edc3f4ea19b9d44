"""Writes what is made of the table into a folder: ``python -m bridge.permissions deploy``."""

import sys
from collections.abc import Iterator
from pathlib import Path

from bridge.permissions.stack import stack
from bridge.permissions.templates import templates


def files() -> Iterator[tuple[Path, str]]:
    """What each file holds, by its place in the folder."""
    for name, policy in templates().items():
        yield Path("iam", f"{name}.json"), policy.text()
    yield Path("ecs", "policy.json"), stack()


if __name__ == "__main__":
    for place, text in files():
        Path(sys.argv[1], place).write_text(text)
