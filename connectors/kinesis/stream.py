"""How requests name the stream."""

from dataclasses import dataclass
from typing import Self

from connectors.base import SettingsError


@dataclass(frozen=True, slots=True)
class StreamName:
    """A stream by its name or by its ARN, which another account's stream needs."""

    name: str
    arn: str | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """``text`` is a name or an ARN. Raises ``SettingsError`` for an ARN of something else."""
        if not text.startswith("arn:"):
            return cls(text)
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[2] != "kinesis" or not parts[5].startswith("stream/"):
            raise SettingsError(
                f"find stream {text}", "not the ARN of a stream", "arn:aws:kinesis:REGION:ACCOUNT:stream/NAME"
            )
        return cls(parts[5].removeprefix("stream/"), text)

    @property
    def region(self) -> str | None:
        return self.arn.split(":")[3] if self.arn is not None else None

    @property
    def account(self) -> str | None:
        return self.arn.split(":")[4] if self.arn is not None else None

    def parameters(self) -> dict[str, str]:
        """For operations that take a stream. Both names together are allowed, and some servers know only the first."""
        return {"StreamName": self.name, **self.routing()}

    def routing(self) -> dict[str, str]:
        """For operations that find the stream by a token and need the ARN only to reach another account."""
        return {"StreamARN": self.arn} if self.arn is not None else {}
