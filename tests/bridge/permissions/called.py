"""Operations of AWS that the code calls, as they stand in it."""

import ast
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PACKAGES = [_ROOT / name for name in ("bridge", "checkpoints", "connectors")]
_OF_KINESIS = "connectors/kinesis"


def operations() -> set[str]:
    """``kinesis:GetRecords`` for each ``….call("GetRecords", …)`` of the product."""
    return {
        f"{'kinesis' if _OF_KINESIS in file.as_posix() else 'dynamodb'}:{operation}"
        for package in _PACKAGES
        for file in package.rglob("*.py")
        for operation in _called(ast.parse(file.read_text()))
    }


def services() -> set[str]:
    """Those that a client of AWS is made for, by the names that they have in ARNs."""
    return {
        str(argument.value)
        for package in _PACKAGES
        if package.name != "bridge"
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and _is(node, "create_client") and node.args
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant)
    }


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is(node, "call") and node.args:
            operation = node.args[0]
            if isinstance(operation, ast.Constant) and isinstance(operation.value, str):
                yield operation.value


def _is(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == name
