"""The embedded metric format as AWS specifies it, its JSON schema and what its text adds to that."""

from collections.abc import Mapping
from typing import Any

import jsonschema  # type: ignore[import-untyped]

_UNITS = (
    "Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|"
    "Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|Megabytes/Second|Gigabytes/Second|Terabytes/Second|"
    "Bits/Second|Kilobits/Second|Megabits/Second|Gigabits/Second|Terabits/Second|Count/Second|None"
)
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_METRIC = {
    "type": "object",
    "required": ["Name"],
    "properties": {"Name": _NAME, "Unit": {"type": "string", "pattern": f"^({_UNITS})$"}},
}
_DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": _NAME,
        "Dimensions": {"type": "array", "minItems": 1, "items": {"type": "array", "maxItems": 9, "items": _NAME}},
        "Metrics": {"type": "array", "items": _METRIC, "maxItems": 100},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {"type": "array", "items": _DIRECTIVE},
            },
        }
    },
}

_MOST_BYTES = 256 * 1024
_MOST_VALUES = 100


def check(document: Mapping[str, Any], line: bytes) -> None:
    """Raises ``AssertionError`` or ``ValidationError`` for what CloudWatch would not take."""
    jsonschema.validate(document, SCHEMA)
    assert len(line) <= _MOST_BYTES
    for directive in document["_aws"]["CloudWatchMetrics"]:
        assert directive["Metrics"]
        for metric in directive["Metrics"]:
            target = document[metric["Name"]]
            values = target if isinstance(target, list) else [target]
            assert 0 < len(values) <= _MOST_VALUES
            assert all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        for dimension in (name for names in directive["Dimensions"] for name in names):
            assert isinstance(document[dimension], str)
            assert document[dimension]
