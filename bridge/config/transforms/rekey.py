"""A step that gives records other keys."""

from pydantic import Field

from bridge.config.section import Section
from bridge.config.transforms.expression import Expression


class RekeyTransform(Section):
    rekey: Expression = Field(
        description="An expression in CEL that gives the key; null takes it away.",
        json_schema_extra={"examples": ["value.customer_id"]},
    )
