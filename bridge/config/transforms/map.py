"""A step that makes other values."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bridge.config.quantities import allowed
from bridge.config.section import Section, text_or_section
from bridge.config.transforms.expression import Expression, Path, Settings

_FORMS = "an expression of the whole value, or a section with set: {PATH: EXPRESSION} and remove: [PATH]"


class Edit(Section):
    """Removes fields of a JSON value, then sets others; all else stays."""

    set: Settings = Field(
        default_factory=dict, description="Expressions in CEL by the JSONPath of the field that gets what they give."
    )
    remove: tuple[Path, ...] = Field(default=(), description="JSONPaths of the fields to remove.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.set and not self.remove:
            raise allowed(_FORMS)
        return self


def _form(value: Any) -> Any:
    if not isinstance(value, str | dict | Edit):
        raise allowed(_FORMS)
    return value


class MapTransform(Section):
    map: Annotated[
        Annotated[Expression, Tag("<text>")] | Annotated[Edit, Tag("<section>")],
        Discriminator(text_or_section),
        BeforeValidator(_form),
    ] = Field(description="An expression in CEL that gives the whole value, null for a tombstone; or what to change.")
