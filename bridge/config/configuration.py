"""A checked configuration."""

from typing import Self

from pydantic import model_validator

from bridge.config.mirror import MirrorSection
from bridge.config.rules import RULES


class Configuration(MirrorSection):
    """One mirror: where it reads, where it writes, and by which rules."""

    @model_validator(mode="after")
    def _sections_go_together(self) -> Self:
        for rule in RULES:
            rule(self)
        return self
