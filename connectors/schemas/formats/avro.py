"""Avro schemas (specification 1.12, "Names" and "Schema declaration")."""

import json
from collections.abc import Iterator
from typing import Any

from connectors.schemas.definition import Definition
from connectors.schemas.formats.errors import UnusableSchemaError

_NAMED = ("record", "error", "enum", "fixed")


def name(definition: Definition) -> str | None:
    """The full name of the record, enum or fixed that the schema is; None of others."""
    schema = _parsed(definition)
    return _full_name(schema, "")[0] if isinstance(schema, dict) and schema.get("type") in _NAMED else None


def whole(definition: Definition) -> str:
    """The schema with each type of another one defined where it is named first."""
    if not definition.references:
        return definition.text
    types = {
        full: declared
        for reference in definition.referred()
        for full, declared in _declared(_parsed(reference.definition), "")
    }
    return json.dumps(_Inlining(types).schema(_parsed(definition), ""))


def _parsed(definition: Definition) -> Any:
    try:
        return json.loads(definition.text)
    except ValueError as error:
        raise UnusableSchemaError("read an Avro schema", str(error), "it is not JSON: register it anew") from error


def _full_name(schema: dict[str, Any], namespace: str) -> tuple[str, str]:
    """The full name of a named type that stands in ``namespace``, and the namespace within it."""
    short = str(schema["name"])
    if "." in short:
        return short, short.rpartition(".")[0]
    inner = str(schema.get("namespace", namespace) or "")
    return (f"{inner}.{short}" if inner else short), inner


def _declared(schema: Any, namespace: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every named type that ``schema`` declares, under its full name, with its namespace written out."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _declared(branch, namespace)
    elif isinstance(schema, dict):
        if schema.get("type") in _NAMED:
            full, namespace = _full_name(schema, namespace)
            yield full, {**schema, "name": full.rpartition(".")[2], "namespace": namespace}
            for field in schema.get("fields", ()):
                yield from _declared(field["type"], namespace)
        else:
            for key in ("type", "items", "values"):
                yield from _declared(schema.get(key), namespace)


class _Inlining:
    """Goes through a schema in the order in which readers meet its names."""

    def __init__(self, types: dict[str, dict[str, Any]]) -> None:
        self._types = types
        self._met: set[str] = set()

    def schema(self, schema: Any, namespace: str) -> Any:
        if isinstance(schema, str):
            return self._name(schema, namespace)
        if isinstance(schema, list):
            return [self.schema(branch, namespace) for branch in schema]
        if schema.get("type") in _NAMED:
            return self._named(schema, namespace)
        return {
            key: self.schema(value, namespace) if key in ("type", "items", "values") else value
            for key, value in schema.items()
        }

    def _named(self, schema: dict[str, Any], namespace: str) -> dict[str, Any]:
        full, inner = _full_name(schema, namespace)
        self._met.add(full)
        if "fields" not in schema:
            return schema
        fields = [{**field, "type": self.schema(field["type"], inner)} for field in schema["fields"]]
        return {**schema, "fields": fields}

    def _name(self, name: str, namespace: str) -> Any:
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        # A name without a dot may also be one of no namespace (specification, "Names").
        found = next((each for each in (full, name) if each in self._types), None)
        if found is None or full in self._met or found in self._met:
            return name
        return self._named(self._types[found], "")
