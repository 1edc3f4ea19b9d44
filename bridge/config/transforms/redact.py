"""A step that takes fields out of sight."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from bridge.config.section import Section, at
from bridge.config.transforms.expression import Path


class Redaction(Section):
    """Covers fields of a JSON value; all else stays."""

    fields: tuple[Path, ...] = Field(description="JSONPaths: $.customer.email, $.cards[*].number, $..email anywhere.")
    by: Literal["mask", "remove", "hash"] = Field(
        default="mask", description="hash: HMAC-SHA-256 with secret, the same for the same, so that it can be joined."
    )
    mask: str = Field(default="***", description="What stands there instead.")
    secret: SecretStr | None = Field(default=None, description="Of hash; from the environment, by ${VARIABLE}.")

    @model_validator(mode="after")
    def _what_its_way_needs(self) -> Self:
        if not self.fields:
            raise at("fields", "a list of JSONPaths, as [$.customer.email]")
        if "mask" in self.model_fields_set and self.by != "mask":
            raise at("mask", f"left out beside by: {self.by}")
        if self.by == "hash" and (self.secret is None or not self.secret.get_secret_value()):
            raise at("secret", "a text, as secret: ${REDACTION_SECRET}, without which a hash can be tried out")
        if self.secret is not None and self.by != "hash":
            raise at("secret", f"left out beside by: {self.by}")
        return self


class RedactTransform(Section):
    redact: Redaction
