"""Places in a JSON value, by JSONPath (RFC 9535)."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonpath import JSONPath, JSONPathMatch

ABSENT = object()
"""What a place holds that is to be removed."""


class PathError(ValueError):
    """A path that cannot be used. The message says what is wrong."""


class Places:
    """Whatever some paths lead to, any number of places."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Raises ``PathError`` for what is no path, or leads to the whole value."""
        self._paths = [_compiled(path) for path in paths]

    def change(self, root: Any, change: Callable[[Any], Any]) -> None:
        """Put what ``change`` makes of it into each place, once; ``ABSENT`` removes it."""
        found = {match.parts: match for path in self._paths for match in path.finditer(root)}
        # What is inside of another place comes before it.
        matches = sorted(found.values(), key=lambda match: len(match.parts), reverse=True)
        for match in matches:
            _holder(match)[match.parts[-1]] = change(match.obj)
        # All at once, so that what is removed of a list moves nothing that is still to be removed.
        for match in matches:
            _sweep(_holder(match))


class OnePlace:
    """The one place that names, one inside the other, lead to."""

    def __init__(self, path: str) -> None:
        """Raises ``PathError`` for what is no such path."""
        self._names = tuple(_names(_compiled(path)))

    def put(self, root: Any, value: object) -> bool:
        """Put ``value`` there, in objects that are made where they are missing; whether that was possible."""
        inside = root
        for name in self._names[:-1]:
            if not isinstance(inside, dict):
                return False
            inside = inside.setdefault(name, {})
        if not isinstance(inside, dict):
            return False
        inside[self._names[-1]] = value
        return True


def _compiled(path: str) -> "JSONPath":
    # It takes a tenth of a second to load, and few mirrors have a path.
    from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError  # noqa: PLC0415

    try:
        found = JSONPathEnvironment(strict=True).compile(path)
    except JSONPathError as error:
        raise PathError(str(error.args[0])) from error
    if not isinstance(found, JSONPath) or not found.segments:
        raise PathError("leads to the whole value")
    return found


def _names(compiled: "JSONPath") -> Iterator[str]:
    from jsonpath.selectors import NameSelector  # noqa: PLC0415

    for segment in compiled.segments:
        for selector in segment.selectors:
            if not compiled.singular_query() or not isinstance(selector, NameSelector):
                raise PathError("leads to more than one place, or into a list")
            yield selector.name


def _holder(match: "JSONPathMatch") -> Any:
    """The object or the list that the place is in."""
    return None if match.parent is None else match.parent.obj


def _sweep(holder: Any) -> None:
    if isinstance(holder, list):
        holder[:] = [value for value in holder if value is not ABSENT]
    else:
        for name in [name for name, value in holder.items() if value is ABSENT]:
            del holder[name]
