"""What all sections have in common."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from bridge.config.quantities import allowed


class Section(BaseModel):
    """Unknown keys are errors; no value is ever printed by an error or changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Choice(Section):
    """A section with exactly one of its keys; the others are left out, or null."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    forms: ClassVar[tuple[str, ...]]
    """How each of the keys is written, for a person."""

    @model_validator(mode="before")
    @classmethod
    def _at_most_one(cls, value: Any) -> Any:
        if isinstance(value, dict) and len([key for key in cls.model_fields if value.get(key) is not None]) > 1:
            raise cls._wrong()
        return value

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if all(value is None for _, value in self):
            raise self._wrong()
        return self

    @classmethod
    def _wrong(cls) -> PydanticCustomError:
        return allowed(f"exactly one of {', '.join(cls.forms[:-1])} and {cls.forms[-1]}")


def text_or_section(value: Any) -> str:
    """The tag of a value that is one of the two, for ``Discriminator``."""
    return "<text>" if isinstance(value, str) else "<section>"


def unknown(key: object) -> PydanticCustomError:
    """The error of a value that has ``key`` where no form of it has one."""
    return PydanticCustomError("extra_forbidden", "Extra inputs are not permitted", {"key": str(key)})


def at(key: str, what: str) -> PydanticCustomError:
    """The error of a section where the value at ``key`` is not ``what`` the others allow."""
    return PydanticCustomError("not_allowed", "Input should be {what}", {"what": what, "key": key})
