"""Settings that pass through to Kafka's client or to a topic, as they are."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr, WithJsonSchema

from bridge.config.quantities import allowed

_SECRET = re.compile(r"password|secret(?!_arn)|\.pem$|_pem$|token|sasl\.oauthbearer\.config")


def is_secret(key: str) -> bool:
    """Whether the value of this setting must never be shown."""
    return _SECRET.search(key) is not None


def _property(value: Any) -> str | SecretStr:
    if isinstance(value, SecretStr):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise allowed("a text, a number, true or false")


def _hide(properties: Any) -> Any:
    if not isinstance(properties, dict):
        return properties
    return {
        key: SecretStr(value) if isinstance(value, str) and is_secret(key) else value
        for key, value in properties.items()
    }


Property = Annotated[
    str | SecretStr, BeforeValidator(_property), WithJsonSchema({"type": ["string", "number", "boolean"]})
]

Properties = Annotated[dict[str, Property], BeforeValidator(_hide)]
"""Settings as librdkafka takes them, secrets hidden."""


def plain(properties: dict[str, str | SecretStr]) -> dict[str, str]:
    """The settings with their secrets, for the client itself."""
    return {
        key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in properties.items()
    }
