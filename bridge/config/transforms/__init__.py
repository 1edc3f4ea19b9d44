"""What is made of records between source and sink: a list of steps, each a section that is told by its key."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag
from pydantic_core import PydanticCustomError

from bridge.config.quantities import allowed
from bridge.config.section import Section, unknown
from bridge.config.transforms.filter import FilterTransform
from bridge.config.transforms.headers import HeadersTransform
from bridge.config.transforms.lambda_function import LambdaTransform
from bridge.config.transforms.map import MapTransform
from bridge.config.transforms.python import PythonTransform
from bridge.config.transforms.redact import RedactTransform
from bridge.config.transforms.rekey import RekeyTransform
from bridge.config.transforms.schemas import SchemasTransform

_KINDS = {
    "python": "python: MODULE:FUNCTION",
    "filter": "filter: EXPRESSION",
    "map": "map: EXPRESSION or {set, remove}",
    "rekey": "rekey: EXPRESSION",
    "headers": "headers: {set, remove}",
    "redact": "redact: {fields}",
    "lambda": "lambda: {function}",
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
        raise unknown(next(iter(value)))
    if len(kinds) != 1:
        raise _wrong()
    return value


def _wrong() -> PydanticCustomError:
    *others, last = _KINDS.values()
    return allowed(f"a section with exactly one of {', '.join(others)} and {last}")


def _tag(value: Any) -> str:
    keys = value if isinstance(value, dict) else [info.alias or name for name, info in type(value).model_fields.items()]
    return next(f"<{key}>" for key in _KINDS if key in keys)


Step = Annotated[
    Annotated[PythonTransform, Tag("<python>")]
    | Annotated[FilterTransform, Tag("<filter>")]
    | Annotated[MapTransform, Tag("<map>")]
    | Annotated[RekeyTransform, Tag("<rekey>")]
    | Annotated[HeadersTransform, Tag("<headers>")]
    | Annotated[RedactTransform, Tag("<redact>")]
    | Annotated[LambdaTransform, Tag("<lambda>")]
    | Annotated[SchemasTransform, Tag("<schemas>")],
    Discriminator(_tag),
    BeforeValidator(_one_kind),
]
"""One of them. A new kind is a line here and one in ``_KINDS``; what it makes is told in ``assembly.transforming``."""

Transforms = tuple[Step, ...]
