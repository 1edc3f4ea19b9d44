"""A step that sets and removes headers."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bridge.config.quantities import allowed
from bridge.config.section import Section
from bridge.config.transforms.expression import Expression
from connectors.base import OWN_PREFIX


def _not_ours(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        _name(name)
    return value


def _name(value: str) -> str:
    if not value or value.startswith(OWN_PREFIX):
        raise allowed(f"names of headers but those that begin with {OWN_PREFIX}, the bridge's own")
    return value


class HeaderChange(Section):
    """Removes headers, then sets others."""

    set: Annotated[dict[str, Expression], AfterValidator(_not_ours)] = Field(
        default_factory=dict, description="Expressions in CEL by header; null sets none."
    )
    remove: tuple[Annotated[str, AfterValidator(_name)], ...] = Field(
        default=(), description="Names; * stands for any letters."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.set and not self.remove:
            raise allowed("a section with set: {NAME: EXPRESSION} or remove: [NAME], or both")
        return self


class HeadersTransform(Section):
    headers: HeaderChange
