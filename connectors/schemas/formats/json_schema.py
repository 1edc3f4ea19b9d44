"""JSON Schema (2020-12, section 9.3, "Compound documents"; draft 7 and before call the place ``definitions``)."""

import json
from typing import Any

from connectors.schemas.definition import Definition
from connectors.schemas.formats.errors import UnusableSchemaError

_OLD = ("draft-03", "draft-04", "draft-06", "draft-07")


def name(definition: Definition) -> str | None:
    """Its title, as serializers name it; None without one."""
    schema = _parsed(definition)
    return str(schema["title"]) if isinstance(schema, dict) and schema.get("title") else None


def whole(definition: Definition) -> str:
    """The schema with those it refers to bundled: each under the name by which ``$ref`` calls it."""
    if not definition.references:
        return definition.text
    schema = _parsed(definition)
    if not isinstance(schema, dict):
        raise UnusableSchemaError(
            "bundle a JSON schema", "it has references and is not an object", "register it without references"
        )
    dialect = str(schema.get("$schema", ""))
    place = "definitions" if any(old in dialect for old in _OLD) else "$defs"
    identity = "id" if "draft-04" in dialect or "draft-03" in dialect else "$id"
    bundled: dict[str, Any] = {
        reference.name: {**_parsed(reference.definition), identity: reference.name}
        for reference in definition.referred()
    }
    return json.dumps({**schema, place: {**bundled, **schema.get(place, {})}})


def _parsed(definition: Definition) -> Any:
    try:
        return json.loads(definition.text)
    except ValueError as error:
        raise UnusableSchemaError("read a JSON schema", str(error), "it is not JSON: register it anew") from error
