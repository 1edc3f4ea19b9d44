"""Expressions and paths as keys take them, tried when they are read."""

from typing import Annotated

from pydantic import AfterValidator

from bridge.config.quantities import allowed
from bridge.transforms.expressions import ExpressionError, check
from bridge.transforms.paths import OnePlace, PathError, Places


def _expression(text: str) -> str:
    return _checked(text, None)


def _condition(text: str) -> str:
    return _checked(text, "BOOL")


def _checked(text: str, gives: str | None) -> str:
    try:
        check(text, gives=gives)
    except ExpressionError as error:
        what = "an expression" if gives is None else "an expression that gives true or false"
        raise allowed(f"{what} ({error})") from error
    return text


def _path(text: str) -> str:
    try:
        Places([text])
    except PathError as error:
        raise allowed(f"a JSONPath to fields of the value, as $.customer.email or $..email ({error})") from error
    return text


def _one_place_each(value: dict[str, str]) -> dict[str, str]:
    for path in value:
        try:
            OnePlace(path)
        except PathError as error:
            raise allowed(
                f"JSONPaths of names alone, as $.customer.email, each with an expression ({path} {error})"
            ) from error
    return value


Expression = Annotated[str, AfterValidator(_expression)]
Condition = Annotated[str, AfterValidator(_condition)]
Path = Annotated[str, AfterValidator(_path)]
Settings = Annotated[dict[str, Expression], AfterValidator(_one_place_each)]
"""Expressions by the path of the one field that each sets."""
