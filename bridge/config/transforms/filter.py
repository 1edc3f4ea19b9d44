"""A step that leaves records out."""

from pydantic import Field

from bridge.config.section import Section
from bridge.config.transforms.expression import Condition


class FilterTransform(Section):
    filter: Condition = Field(
        description="An expression in CEL that is true for the records that go on.",
        json_schema_extra={"examples": ['value.type == "order"']},
    )
