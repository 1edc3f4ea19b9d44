"""A step that leaves records out."""

from pydantic import Field

from bridge.config.section import Section
from bridge.config.transforms.expression import Condition


class FilterTransform(Section):
    """Keeps the records for which the expression is true."""

    filter: Condition = Field(
        description="An expression in CEL that gives true or false.",
        json_schema_extra={"examples": ['value.type == "order"']},
    )
