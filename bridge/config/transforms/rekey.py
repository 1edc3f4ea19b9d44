"""A step that gives records other keys."""

from pydantic import Field

from bridge.config.section import Section
from bridge.config.transforms.expression import Expression


class RekeyTransform(Section):
    """Gives records the key that the expression gives."""

    rekey: Expression = Field(
        description="An expression in CEL; null takes the key away.",
        json_schema_extra={"examples": ["value.customer_id"]},
    )
