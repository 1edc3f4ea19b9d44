"""The JSON Schema of configuration files, for editors."""

import json
from typing import Any

from bridge.config.configuration import Configuration

Json = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/"
_PART = "PartOf"
_NAME = r"^([a-z0-9-]|\{stream\}|\{topic\})+$"
"""Also with what stands for the name of a stream, or topic, that matched."""


def schema() -> Json:
    """Of a file with one mirror, and of one with several, whose entries and defaults are each a part of one."""
    whole = Configuration.model_json_schema()
    sections = whole.pop("$defs")
    whole["properties"]["name"]["pattern"] = _NAME
    part = _as_part(whole)
    several = {
        "type": "object",
        "title": "Several mirrors",
        "properties": {"defaults": part, "mirrors": {"type": "array", "items": part, "minItems": 1}},
        "required": ["mirrors"],
        "additionalProperties": False,
    }
    parts = {f"{_PART}{name}": _as_part(each) for name, each in sections.items()}
    return {"$schema": _DRAFT, "anyOf": [whole, several], "$defs": {**sections, **parts}}


def _as_part(whole: Json) -> Json:
    """The same, without what would have to be there."""
    referring = json.dumps(whole).replace(f'"{_REFERENCE}', f'"{_REFERENCE}{_PART}')
    part: Json = json.loads(referring)
    return {key: each for key, each in part.items() if key not in ("required", "minProperties")}
