"""A configuration as a document that may be written into a file: ``load`` reads it back to the same."""

from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr

from bridge.config.configuration import Configuration
from bridge.config.document import Path


def document_of(configuration: Configuration) -> dict[str, Any]:
    """The keys that were given, as YAML writes them; secrets are ``SecretStr`` still, for ``without_secrets``."""
    root: dict[str, Any] = configuration.model_dump(mode="json", exclude_unset=True, by_alias=True)
    for path, secret in _secrets(configuration.model_dump(exclude_unset=True, by_alias=True), ()):
        _put(root, path, secret)
    return root


def without_secrets(root: dict[str, Any]) -> dict[str, str]:
    """Puts a reference to a variable into the place of each secret in ``root``; the secrets, by their variables."""
    secrets: dict[str, str] = {}
    for path, secret in [*_secrets(root, ())]:
        name = _variable(path)
        secrets[name] = secret.get_secret_value()
        _put(root, path, f"${{{name}}}")
    return secrets


def _secrets(value: object, path: Path) -> Iterator[tuple[Path, SecretStr]]:
    if isinstance(value, SecretStr):
        yield path, value
        return
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, inner in inside:
        yield from _secrets(inner, (*path, key))


def _put(root: dict[str, Any], path: Path, value: object) -> None:
    section: Any = root
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value


def _variable(path: Path) -> str:
    """``("source", "kafka", "librdkafka", "sasl.password")`` as ``KMBRIDGE_SOURCE_SASL_PASSWORD``."""
    numbers = (str(step) for step in path if isinstance(step, int))
    words = ("kmbridge", str(path[0]), *numbers, *str(path[-1]).replace("-", "_").split("."))
    return "_".join(words).upper()
