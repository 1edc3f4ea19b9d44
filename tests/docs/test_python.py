"""Python that the pages show."""

import ast
from collections.abc import Iterator
from importlib import import_module

import pytest

from tests.docs.pages import Block, blocks

_EXAMPLES = blocks("python")


@pytest.mark.parametrize("block", _EXAMPLES, ids=[block.where for block in _EXAMPLES])
def test_every_name_that_an_example_imports_is_there(block: Block) -> None:
    """An example begins with imports that work."""
    assert not [f"{module}.{name}" for module, name in _imported(block) if not hasattr(import_module(module), name)]


def _imported(block: Block) -> Iterator[tuple[str, str]]:
    """Module and name of each ``from … import``; an example may ``await`` outside of any function."""
    tree = compile(block.text, block.where, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from ((node.module, name.name) for name in node.names)
