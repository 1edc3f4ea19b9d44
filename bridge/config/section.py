"""What all sections have in common."""

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """Unknown keys are errors; no value is ever printed by an error or changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def at(key: str, what: str) -> PydanticCustomError:
    """The error of a section where the value at ``key`` is not ``what`` the others allow."""
    return PydanticCustomError("not_allowed", "Input should be {what}", {"what": what, "key": key})
