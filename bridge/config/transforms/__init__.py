"""What is made of records between source and sink: a list of steps, each a section that is told by its key."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag
from pydantic_core import PydanticCustomError

from bridge.config.quantities import allowed
from bridge.config.section import Section
from bridge.config.transforms.python import PythonTransform
from bridge.config.transforms.schemas import SchemasTransform

_KINDS = {
    "python": "python: MODULE:FUNCTION",
    "schemas": "schemas: {from, to}",
}
"""The keys that tell a step, and how each is written, for a person."""


def _one_kind(value: Any) -> Any:
    """``value``, where it is a section with exactly one of the kinds; what stands beside that key is judged later."""
    if not isinstance(value, dict):
        if isinstance(value, Section):
            return value
        raise _wrong()
    kinds = [key for key in value if key in _KINDS]
    if not kinds and value:
        raise PydanticCustomError("extra_forbidden", "Extra inputs are not permitted", {"key": str(next(iter(value)))})
    if len(kinds) != 1:
        raise _wrong()
    return value


def _wrong() -> PydanticCustomError:
    *others, last = _KINDS.values()
    return allowed(f"a section with exactly one of {', '.join(others)} and {last}" if others else f"a section {last}")


def _tag(value: Any) -> str:
    keys = value if isinstance(value, dict) else [info.alias or name for name, info in type(value).model_fields.items()]
    return next(f"<{key}>" for key in _KINDS if key in keys)


Step = Annotated[
    Annotated[PythonTransform, Tag("<python>")] | Annotated[SchemasTransform, Tag("<schemas>")],
    Discriminator(_tag),
    BeforeValidator(_one_kind),
]
"""One of them. A new kind is a line here and one in ``_KINDS``; what it makes is told in ``assembly.transforming``."""

Transforms = tuple[Step, ...]
