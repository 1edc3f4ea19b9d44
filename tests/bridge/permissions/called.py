"""Operations of AWS that the code calls, as they stand in it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PACKAGES = [_ROOT / name for name in ("bridge", "checkpoints", "connectors")]
_CLIENTS = [
    _ROOT / place
    for place in (
        "connectors/kafka/aws",
        "connectors/kinesis/services.py",
        "bridge/transforms/handlers/invoked.py",
        "bridge/planning/measuring/cloudwatch.py",
        "bridge/planning/prices/service.py",
    )
]
_SERVICES = {"connectors/kinesis": "kinesis", "connectors/schemas": "glue"}


@cache
def operations() -> frozenset[str]:
    """``kinesis:GetRecords`` for each ``….call("GetRecords", …)`` of the product, or ``….stream(…)``."""
    return frozenset(
        f"{_service(file)}:{operation}"
        for package in _PACKAGES
        for file in package.rglob("*.py")
        for operation in _called(ast.parse(file.read_text()))
    )


def _service(file: Path) -> str:
    """Of DynamoDB where nothing is said: lease tables are read in the middle of a migration."""
    return next((name for place, name in _SERVICES.items() if place in file.as_posix()), "dynamodb")


def methods() -> set[str]:
    """``get_secret_value`` for each ``client.get_secret_value(…)`` of a client of AWS, or a paginator of it."""
    return {
        _method(node.func.attr, node.args)
        for place in _CLIENTS
        for file in sorted(place.rglob("*.py")) or [place]
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in ("client", "self._client")
    }


def _method(attribute: str, arguments: list[ast.expr]) -> str:
    match attribute, arguments:
        case "get_paginator", [ast.Constant(value=str() as paged)]:
            return paged
        case _:
            return attribute


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (_is(node, "call") or _is(node, "stream")) and node.args:
            operation = node.args[0]
            if isinstance(operation, ast.Constant) and isinstance(operation.value, str):
                yield operation.value


def _is(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == name
