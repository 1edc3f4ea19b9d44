"""``${VAR}`` and ``${VAR:-default}`` in a scalar."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>(?:(?!\$\{)[^}])*))?\}")


class VariableError(Exception):
    """A reference that cannot be put in; the message says which and why."""


def is_reference(text: str) -> bool:
    """Whether ``text`` is one reference and nothing else, not even a default."""
    found = _REFERENCE.fullmatch(text)
    return found is not None and found["default"] is None


def substitute(text: str, environment: Mapping[str, str]) -> str:
    """``text`` with every reference replaced. A default stands in where the variable is missing or empty.

    Raises ``VariableError`` for a variable that is missing and has no default, and for a malformed reference.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        found = environment.get(name)
        if default is not None:
            return found or default
        if found is None:
            raise VariableError(f"the environment has no variable {name}; set it, or write ${{{name}:-default}}")
        return found

    rest = _REFERENCE.sub("", text)
    if "${" in rest:
        raise VariableError("malformed variable; allowed: ${NAME} or ${NAME:-default}, NAME of letters, digits and _")
    return _REFERENCE.sub(value, text)
