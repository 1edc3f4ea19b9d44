"""A step that is a function of the user's own."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bridge.config.quantities import Count, Duration, allowed
from bridge.config.section import Section, at
from bridge.config.transforms.handler import ATTEMPTS, BATCH, Event

_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def _function(value: str) -> str:
    if not _FUNCTION.fullmatch(value):
        raise allowed("MODULE:FUNCTION, as my_module:function or my_package.my_module:function")
    return value


class PythonTransform(Section):
    python: Annotated[str, AfterValidator(_function)] = Field(
        description="MODULE:FUNCTION of yours, which keeps, changes, drops or splits records; it may be async.",
        json_schema_extra={"examples": ["my_module:function"]},
    )
    takes: Literal["record", "batch"] = Field(
        default="record", description="What one call is given: a record, or a list of those that were read together."
    )
    path: Path = Field(
        default=Path(),
        description="A folder in which the module is looked for before Python's own places.",
        json_schema_extra={"default": "."},
    )
    timeout: Duration = Field(
        default=30.0,
        description="How long one call may take. After that the lane shows it and tries again.",
        json_schema_extra={"default": "30s"},
    )
    event: Event | None = Field(
        default=None,
        description="The function is a handler written for AWS Lambda, and is called as one: kinesis, a consumer; "
        "firehose, a transformation.",
    )
    batch: Count = Field(default=BATCH, description="The most records of one event.")
    attempts: Count = Field(default=ATTEMPTS, description="How often a record that fails in an event is tried.")

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Self:
        if self.event is not None and "takes" in self.model_fields_set:
            raise at("takes", "left out beside event, which says what a call is given")
        for key in ("batch", "attempts"):
            if self.event is None and key in self.model_fields_set:
                raise at(key, "left out, where there is no event: kinesis or firehose")
        return self
