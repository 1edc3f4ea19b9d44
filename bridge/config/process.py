"""What each process of a mirror is told: how it shares work, what it may use, and where it speaks."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bridge.config.names import Instance
from bridge.config.quantities import Duration, Listen, Rate, Size, allowed
from bridge.config.section import Section, at
from bridge.telemetry.listener import Listener, is_sendable


def _memory(value: int) -> int:
    if value < 2**20:
        raise allowed("at least 1MiB")
    return value


def _some(value: int) -> int:
    if value < 1:
        raise allowed("a size above 0, or null for no limit")
    return value


def _sendable(value: SecretStr) -> SecretStr:
    if not is_sendable(value.get_secret_value()):
        raise allowed("visible ASCII characters without spaces")
    return value


def _session_timeout(value: float) -> float:
    if not 1 <= value <= 1800:
        raise allowed("1s to 30m")
    return value


class Workers(Section):
    """How the processes that share a mirror know of each other."""

    session_timeout: Annotated[Duration, AfterValidator(_session_timeout)] = Field(
        default=6.0,
        description="How long a worker may be silent before others take its slots over: 1s to 30m; with classic.",
        json_schema_extra={"default": "6s"},
    )
    group_protocol: Literal["classic", "consumer"] = Field(
        default="classic", description="consumer is that of KIP-848, whose session time-out is the broker's."
    )
    instance: Instance | None = Field(
        default=None, description="Static membership: a name that a worker keeps when it restarts, as a pod's."
    )

    @model_validator(mode="after")
    def _one_says_how_long(self) -> Self:
        if self.group_protocol == "consumer" and "session_timeout" in self.model_fields_set:
            raise at(
                "session_timeout",
                "left out beside group_protocol: consumer, where the broker's group.consumer.session.timeout.ms holds",
            )
        return self


class Limits(Section):
    """What a process may use."""

    memory: Annotated[Size, AfterValidator(_memory)] = Field(
        default=256 * 2**20,
        description="What records may take that are on their way through this process; at least 1MiB.",
        json_schema_extra={"default": "256MiB"},
    )
    records_per_second: Rate | None = Field(
        default=None, description="Read at the most, by all workers of the mirror together; null: no limit."
    )
    bytes_per_second: Annotated[Size, AfterValidator(_some)] | None = Field(
        default=None, description="Of keys and values read, likewise."
    )


class Http(Section):
    """The server of the live page, /status, /metrics, /healthz and /readyz; null: none."""

    listen: Listen | None = Field(
        default=("127.0.0.1", 8080),
        description="HOST:PORT; null turns it off.",
        json_schema_extra={"default": "127.0.0.1:8080"},
    )
    token: Annotated[SecretStr, AfterValidator(_sendable)] | None = Field(
        default=None,
        description="What who asks has to send as Authorization: Bearer TOKEN, on all but /, /healthz and "
        "/readyz; null: nothing.",
    )

    @property
    def listener(self) -> Listener | None:
        """None where it is turned off."""
        return None if self.listen is None else Listener(*self.listen, self.token)


class Log(Section):
    """What is told on stderr."""

    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, JSON elsewhere."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="The least that is told.")
