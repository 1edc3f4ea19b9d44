"""What pydantic found, said with the place, what was written there and what is allowed."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.config.document import Document, Mark, Path
from bridge.config.errors import Problem
from bridge.config.keys import known_keys, suggestion
from bridge.config.librdkafka import is_secret

_USERINFO = re.compile(r"//[^/@\s]*@")
_KINDS = {
    "string_type": "text (in quotes, where YAML would read it as something else)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "none_required": "null",
    "path_type": "a path",
    "tuple_type": "a list",
}
_BOUNDS = {"greater_than": "above {gt:g}", "greater_than_equal": "at least {ge}", "less_than_equal": "at most {le}"}


def problems(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """One for each mistake that pydantic names."""
    return [_problem(details, document, model) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, document: Document, model: type[BaseModel]) -> Problem:
    path = tuple(step for step in details["loc"] if not str(step).startswith("<"))
    context: Mapping[str, Any] = details.get("ctx", {})
    if "key" in context:
        path = (*path, *context["key"].split("."))
    message = _message(details, path, document, model)
    return document.lacks(path, message) if details["type"] == "missing" else document.problem(path, message)


def _message(details: ErrorDetails, path: Path, document: Document, model: type[BaseModel]) -> str:
    keys = tuple(step for step in path if isinstance(step, str))
    if details["type"] == "extra_forbidden":
        return f"unknown key; {suggestion(keys, model)}"
    if details["type"] == "missing":
        return "is missing"
    values = list(document.find(path[:-1] if path and isinstance(path[-1], int) else path))
    # A rule may ask for a key that is left out: then there is nothing, not the section in which it would stand.
    given = None if "key" in details.get("ctx", {}) else details["input"]
    value = given if not values or isinstance(path[-1], int) else values[0]
    return f"found {found(value, keys, document.mark(path))}; allowed: {_allowed(details, keys, model)}"


def _allowed(details: ErrorDetails, keys: tuple[str, ...], model: type[BaseModel]) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind in ("literal_error", "enum"):
        return str(context["expected"]).replace("'", "")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        inner = [key[-1] for key in known_keys(model) if key[:-1] == keys]
        return f"a section with the keys {', '.join(inner)}" if inner else "a section of keys and values"
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    return _KINDS.get(kind) or details["msg"].removeprefix("Input should be ")


def found(value: Any, keys: tuple[str, ...], mark: Mark) -> str:
    """``value`` as it was written: never what a variable put in, never a secret."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list | tuple):
        return "a section" if isinstance(value, dict) else "a list"
    key = keys[-1] if keys else ""
    # Whoever took scram for the password itself is not repeated either.
    if is_secret(key) or key == "scram":
        return "a value that is not shown"
    written = mark.text if mark.text is not None else str(value)
    written = _USERINFO.sub("//…@", written)
    short = written if len(written) <= 60 else f"{written[:57]}..."
    if isinstance(value, bool) and written.lower() not in ("true", "false"):
        return f"{short}, which YAML reads as {str(value).lower()} (in quotes it is text)"
    if isinstance(value, bool | int | float):
        return short if short == str(value).lower() else f"{short}, which YAML reads as {value}"
    return f'"{short}"'
